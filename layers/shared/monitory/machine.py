"""A machine's zone and id, validated before they reach a storage key."""

import re
from typing import NamedTuple

from monitory.errors import InvalidIdentifier

PATTERN = r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"
_IDENTIFIER = re.compile(PATTERN[1:-1])


class Machine(NamedTuple):
    """A machine of a zone; `machine` creates it from validated names."""

    zone_id: str
    equip_id: str

    def __str__(self) -> str:
        """The two names with a slash between them."""
        return f"{self.zone_id}/{self.equip_id}"


def machine(zone_id: str, equip_id: str) -> Machine:
    """A machine with validated names, which reach no other prefix of the lake.

    Raises:
        InvalidIdentifier: a name is not 1 to 64 letters, digits, `-`, `_`, `.`, or starts with a dot.
    """
    for field, value in (("zoneId", zone_id), ("equipId", equip_id)):
        if not _IDENTIFIER.fullmatch(value):
            raise InvalidIdentifier(
                f"{field} must be 1 to 64 letters, digits, '-', '_' or '.', and not start with a dot"
            )
    return Machine(zone_id, equip_id)
