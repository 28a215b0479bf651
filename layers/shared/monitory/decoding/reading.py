"""A reading of a sensor, as in the lake's contract."""

from datetime import datetime
from typing import Annotated

import msgspec

MAX_VALUE = 1e100
"""Larger magnitudes count as not finite: their squares would overflow."""

Value = Annotated[float, msgspec.Meta(ge=-MAX_VALUE, le=MAX_VALUE)]
WallClock = Annotated[datetime, msgspec.Meta(tz=False)]


class Reading(msgspec.Struct, gc=False, rename="camel"):
    """One line of the lake; other fields are ignored.

    `val` is in the sensor's unit, `time` the factory's wall clock.
    """

    zone_id: str
    equip_id: str
    sensor_id: str
    sensor_type: str
    val: Value
    time: WallClock
