"""Times as people write them -> moments."""

import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitory import clock
from monitory_local.importing.errors import ImportFault

Micros = npt.NDArray[np.int64]
"""Moments: microseconds since 1970 UTC; `NOT_A_TIME` where there is none."""

NOT_A_TIME = np.iinfo(np.int64).min

ISO = "ISO8601"
EPOCH = "epoch"
_EPOCH_TEXT = re.compile(r"-?\d{9,10}(\.\d+)?|\d{12,13}|\d{15,16}|\d{18,19}")
_OFFSET = re.compile(r".*\d\d:?\d\d.*(?:[zZ]|[+-]\d\d:?\d\d)")
_FORMATS = (
    "%Y%m%d%H%M%S",
    "%Y-%m-%d-%H-%M-%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y.%m.%d %H:%M:%S",
    "%Y.%m.%d %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
)
_EITHER = (
    ("%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S"),
    ("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"),
    ("%d/%m/%Y", "%m/%d/%Y"),
    ("%d/%m/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M:%S %p"),
    ("%d/%m/%Y %I:%M %p", "%m/%d/%Y %I:%M %p"),
)
"""Formats that the same text may have: day first or month first."""


def zone_name(name: str | None) -> str | None:
    """The name of a time zone, if there is such a zone; None for the factory's.

    Raises:
        ImportFault: there is none.
    """
    if name:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, KeyError) as exc:
            raise ImportFault(f"time_zone: there is no time zone {name!r}; names are like Europe/Berlin") from exc
    return name


def guess_format(texts: Sequence[str], where: str) -> str:
    """The format of times: ISO 8601, epoch numbers, or another one that fits most of them.

    Raises:
        ImportFault: none fits, or day and month cannot be told apart.
    """
    sample = [text for text in texts if text][:1000]
    if not sample:
        raise ImportFault(f"{where} is empty: which column holds the time? Name it in the mapping, [columns] time")
    if sum(_EPOCH_TEXT.fullmatch(text) is not None for text in sample) > len(sample) / 2:
        return EPOCH
    for form in (ISO, *_FORMATS):
        if _fits(sample, form):
            return form
    for day_first, month_first in _EITHER:
        fits_day, fits_month = _fit(sample, day_first), _fit(sample, month_first)
        if fits_day < 1 and fits_month == 1:
            return month_first
        if fits_month < 1 and fits_day == 1:
            return day_first
        if fits_day == fits_month == 1:
            raise ImportFault(
                f"{where}: is {sample[0]!r} day/month or month/day? Say so in the mapping: "
                f'time_format = "{day_first}" or "{month_first}"'
            )
    raise ImportFault(
        f"{where}: {sample[0]!r} is no time that is understood: give the mapping a time_format such as "
        '"%d.%m.%Y %H:%M", or name another column in [columns] time'
    )


def moments(texts: Sequence[str], form: str, zone: str | None) -> tuple[Micros, npt.NDArray[np.bool_]]:
    """The moments of times.

    Args:
        texts: as they stand in the file.
        form: ISO, EPOCH, or a format of strptime.
        zone: the time zone of times without an offset; None for the factory's.

    Returns:
        the moments, and where a time was read but its zone's clock skips or repeats it.
    """
    series = pd.Series(texts, dtype=object)
    if form == EPOCH:
        return _epochs(series), np.zeros(len(series), dtype=np.bool_)
    has_offset = series.map(lambda text: _OFFSET.fullmatch(text) is not None).to_numpy(dtype=np.bool_)
    result = np.full(len(series), NOT_A_TIME, dtype=np.int64)
    aware = pd.to_datetime(series[has_offset], format=form, errors="coerce", utc=True)
    result[has_offset] = _micros(aware)
    wall = pd.to_datetime(series[~has_offset], format=form, errors="coerce")
    local = wall.dt.tz_localize(zone or clock.zone(), ambiguous="NaT", nonexistent="NaT")
    result[~has_offset] = _micros(local.dt.tz_convert("UTC"))
    unclear = np.zeros(len(series), dtype=np.bool_)
    unclear[~has_offset] = (wall.notna() & local.isna()).to_numpy()
    return result, unclear


def wall_clock(times: Micros) -> npt.NDArray[np.datetime64]:
    """The factory's wall clock at moments."""
    aware = pd.DatetimeIndex(times.astype("datetime64[us]")).tz_localize("UTC").tz_convert(clock.zone())
    local: npt.NDArray[np.datetime64] = aware.tz_localize(None).to_numpy().astype("datetime64[us]")
    return local


def in_lake_form(times: Micros) -> list[str]:
    """Moments as the lake writes them: KST without an offset; for a factory in another zone, UTC with a Z."""
    if clock.zone() is clock.KST:
        return [str(text) for text in np.datetime_as_string(wall_clock(times), unit="us")]
    return [f"{text}Z" for text in np.datetime_as_string(times.astype("datetime64[us]"), unit="us")]


def _epochs(series: "pd.Series[str]") -> Micros:
    numbers = pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64)
    size = np.abs(numbers)
    factor = np.select([size < 1e11, size < 1e14, size < 1e17], [1e6, 1e3, 1.0], 1e-3)
    usable = np.isfinite(numbers) & (size >= 1e8)
    result = np.full(len(numbers), NOT_A_TIME, dtype=np.int64)
    result[usable] = np.rint(numbers[usable] * factor[usable]).astype(np.int64)
    return result


def _micros(aware: "pd.Series[pd.Timestamp]") -> Micros:
    index = pd.DatetimeIndex(aware).tz_localize(None).as_unit("us")
    values: Micros = np.where(index.isna(), NOT_A_TIME, index.asi8)
    return values


def _fits(sample: Sequence[str], form: str) -> bool:
    return _fit(sample, form) > 0.5


def _fit(sample: Sequence[str], form: str) -> float:
    """The share of times that have a format."""
    return float(pd.to_datetime(pd.Series(sample), format=form, errors="coerce", utc=True).notna().mean())
