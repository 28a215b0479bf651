"""An object that a caller was told of, instead of a listing."""

from contextlib import suppress
from datetime import date

from monitory import layout
from monitory.errors import InvalidIdentifier
from monitory.lake import UNKNOWN_SIZE, Lake, LakeObject
from monitory.machine import Machine


def named_object(lake: Lake, machine: Machine, key: str) -> LakeObject:
    """The object of a key, which must be a machine's; its ETag and size are not known.

    Raises:
        InvalidIdentifier: the key is no data of this machine under the lake's layout.
    """
    below = key.removeprefix(f"{lake.prefix}/")
    parts = below.split("/")
    day = None
    with suppress(ValueError):
        day = date.fromisoformat(parts[0].removeprefix("date="))
    is_path = key.isprintable() and all(part not in {"", ".", ".."} for part in parts)
    is_owned = layout.owner(below) == machine and layout.is_data(layout.below_machine(below))
    if below == key or not day or parts[0] != f"date={day}" or not is_path or not is_owned:
        raise InvalidIdentifier(
            f"key must be that of an object of {machine}, decoded, like "
            f"{lake.prefix}/date=2026-11-20/zone_id={machine.zone_id}/equip_id={machine.equip_id}/equip-1-0.json"
        )
    return LakeObject(key, "", UNKNOWN_SIZE, machine, day)
