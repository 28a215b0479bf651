"""Lines of the prediction log, as the score function writes them."""

from collections.abc import Mapping

import msgspec

from monitory.machine import Machine
from monitory.scoring import prediction_log
from monitory.storage.port import Storage


def line(
    machine: Machine,
    days: float,
    interval: tuple[float, float | None] | None = None,
    version: str | None = None,
    **others: object,
) -> bytes:
    """A line with what readers of the log need, and other fields."""
    ends = {"low": interval[0], "high": interval[1], "coverage": 0.9} if interval else None
    return msgspec.json.encode(
        {
            "scored_at": "2026-11-20T12:20:00Z",
            "zoneId": machine.zone_id,
            "equipId": machine.equip_id,
            "predictions": [days],
            "interval": ends,
            "model": {"version": version, "trained_at": "2026-11-20T15:03:12+00:00"},
            **others,
        }
    )


def write(storage: Storage, lake: str, lines: Mapping[int, Mapping[Machine, bytes]]) -> None:
    """Write lines of a lake by hour and machine."""
    for hour, of_hour in lines.items():
        prediction_log.add(storage, lake, hour, of_hour)
