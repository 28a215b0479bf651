"""An object that a caller was told of, instead of a listing."""

from monitory.errors import InvalidIdentifier
from monitory.lake import Lake
from monitory.lake_listing import UNKNOWN_SIZE, LakeObject
from monitory.layout.names import is_data
from monitory.machine import Machine


def named_object(lake: Lake, machine: Machine, key: str) -> LakeObject:
    """The object of a key, which must hold a machine's readings; its ETag and size are not known.

    Raises:
        InvalidIdentifier: the key is no data of this machine under the lake's layout.
    """
    below = key.removeprefix(f"{lake.prefix}/")
    is_path = key.isprintable() and all(part not in {"", ".", ".."} for part in below.split("/"))
    place = lake.listing.place(key) if below != key and is_path else None
    owner = lake.layout.owner(place) if place else None
    if place is None or owner is None or not is_data(place.rest) or not owner.covers(machine):
        example = lake.listing.folder_of(machine).removeprefix(f"s3://{lake.storage.name}/")
        raise InvalidIdentifier(f"key must be that of an object of {machine}, decoded, like {example}/equip-1-0.json")
    return LakeObject(key, "", UNKNOWN_SIZE, machine, place.day)
