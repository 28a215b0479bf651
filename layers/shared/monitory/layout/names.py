"""Which objects of a lake are data, by their names: one rule for all readers."""

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
