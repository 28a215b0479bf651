"""Which keys of a lake are data, and whose: one rule for all readers."""

from monitory.errors import InvalidIdentifier
from monitory.machine import Machine, machine

_UNFINISHED = (".inprogress", ".tmp", "._copying_")
_MARKERS = ("_$folder$", ".crc")


def is_data(name: str) -> bool:
    """Whether an object is data, by its key below a machine's folder: at any depth, with any extension or none.

    Writers leave other objects beside the data: names that begin with a dot or an underscore (`_SUCCESS`,
    `_temporary/`), checksums, folder markers, and unfinished files.

    >>> [is_data(name) for name in ("equip-1.json", "hour=16/part-0", "_SUCCESS", "_temporary/0/part-0.json", "a.crc")]
    [True, True, False, False, False]
    """
    *folders, last = name.split("/")
    if not last or any(part.startswith((".", "_")) for part in (*folders, last)):
        return False
    lower = last.lower()
    return not lower.endswith(_MARKERS) and not any(mark in lower for mark in _UNFINISHED)


def owner(key: str) -> Machine | None:
    """The machine of a key below a lake's prefix (`date=…/zone_id=…/equip_id=…/…`); None where it has none."""
    parts = key.split("/", 3)
    if len(parts) < 4 or not parts[1].startswith("zone_id=") or not parts[2].startswith("equip_id="):
        return None
    try:
        return machine(parts[1].removeprefix("zone_id="), parts[2].removeprefix("equip_id="))
    except InvalidIdentifier:
        return None


def below_machine(key: str) -> str:
    """The part of a key (below the lake's prefix) that is below its machine's folder."""
    return key.split("/", 3)[-1]
