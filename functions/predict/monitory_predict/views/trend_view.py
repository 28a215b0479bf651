"""A machine's trend as callers see it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, Field

from monitory import clock
from monitory.scoring.trends import TrendPoint

FLEET_HOURS = 7 * 24
"""Of a trend in the fleet; a machine's own page has all that is kept."""


class TrendView(BaseModel):
    """What was predicted from an hour of readings, in days."""

    at: Annotated[datetime, Field(description="end of that hour, UTC")]
    rul_days: float
    low: float | None
    high: Annotated[float | None, Field(description="null: without an interval, or where it reaches the cap")]


class DrivenTrendView(TrendView):
    """The same with the sensor that took the most days."""

    driver: str | None
    driver_days: Annotated[float | None, Field(description="that the sensor added; negative")]


def trend_view(points: Sequence[TrendPoint]) -> list[TrendView]:
    """A trend, the oldest point first."""
    return [TrendView(at=moment(point), rul_days=point.days, low=point.low, high=point.high) for point in points]


def driven_trend_view(points: Sequence[TrendPoint]) -> list[DrivenTrendView]:
    """A trend with its drivers, the oldest point first."""
    return [
        DrivenTrendView(
            at=moment(point),
            rul_days=point.days,
            low=point.low,
            high=point.high,
            driver=point.driver or None,
            driver_days=point.driver_days if point.driver else None,
        )
        for point in points
    ]


def moment(point: TrendPoint) -> datetime:
    """When a point was predicted, to the hour: a prediction is as of its newest reading. UTC."""
    return clock.hour_start(point.hour + 1).astimezone(UTC)
