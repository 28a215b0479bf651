"""A machine's names, as callers and the lake write them."""

import re
import unicodedata
from typing import NamedTuple
from urllib.parse import quote, unquote

from monitory.errors import InvalidIdentifier

_INSIDE = r"\w.:+#@() -"
PATTERN = rf"^[\w%-][%{_INSIDE}]{{0,190}}$"
"""What callers may write, percent signs included: folders of some writers have encoded names."""

MAX_CHARACTERS = 64
_IDENTIFIER = re.compile(rf"[\w-](?:[{_INSIDE}]*[\w.:+#@()-])?")
_PLAIN = re.compile(r"[A-Za-z0-9._-]*")
_HIVE_ESCAPES = re.compile(r"""["#%'*/:=?\\{\[\]^]""")


class Machine(NamedTuple):
    """A machine of a zone; `machine` creates it from validated names."""

    zone_id: str
    equip_id: str

    def __str__(self) -> str:
        """The two names with a slash between them."""
        return f"{self.zone_id}/{self.equip_id}"

    def covers(self, other: "Machine") -> bool:
        """Whether it is the other one; an empty name, as owners of shared objects have, stands for any."""
        return self.zone_id in {"", other.zone_id} and self.equip_id in {"", other.equip_id}


def machine(zone_id: str, equip_id: str) -> Machine:
    """A machine with validated names, which reach no other prefix of the lake.

    Raises:
        InvalidIdentifier: as `identifier`.
    """
    return Machine(identifier("zoneId", zone_id), identifier("equipId", equip_id))


def identifier(field: str, name: str) -> str:
    """A validated name in its normal form; `field` is for the message.

    Raises:
        InvalidIdentifier: it is not 1 to 64 letters (of any script), digits, spaces and `- _ . : + # @ ( )`, or does
            not start with a letter, a digit, `-` or `_`.
    """
    value = normal(name)
    if len(value) > MAX_CHARACTERS or not _IDENTIFIER.fullmatch(value):
        raise InvalidIdentifier(
            f"{field} must be 1 to {MAX_CHARACTERS} letters, digits, spaces or any of - _ . : + # @ ( ), "
            "and start with a letter, a digit, '-' or '_'"
        )
    return value


def normal(name: str) -> str:
    """A name in its one form: percent-encoded characters decoded, accents and syllables composed.

    >>> normal("CNC%20Mill"), normal("EQUIP-001")
    ('CNC Mill', 'EQUIP-001')
    """
    if _PLAIN.fullmatch(name):
        return name
    return unicodedata.normalize("NFC", unquote(name))


def spellings(name: str) -> tuple[str, ...]:
    """All forms in which writers put a normal name into folders: as it is, percent-encoded, decomposed.

    >>> spellings("EQUIP-001"), spellings("00:1A")
    (('EQUIP-001',), ('00:1A', '00%3A1A'))
    """
    if _PLAIN.fullmatch(name):
        return (name,)
    escaped = _HIVE_ESCAPES.sub(lambda match: f"%{ord(match[0]):02X}", name)
    return tuple(dict.fromkeys((name, quote(name, safe=""), escaped, unicodedata.normalize("NFD", name))))
