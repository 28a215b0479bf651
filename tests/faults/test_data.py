"""What the lake may hold on a bad day, from objects to labels and features: the right result, or the gap is told."""

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from monitory.clock import KST, first_hour, hour_of
from monitory.errors import NoData
from monitory.features import hour_row, vector
from monitory.features.failure_state import Condition, FailureState
from monitory.features.hour_row import Columns, HourRow
from monitory.lake import Lake, MachineDay
from monitory.log import logger
from monitory.machine import Machine
from monitory.model.model import Model
from monitory.scoring.prediction import predict
from monitory.sensors import load
from monitory.settings import RetrainSettings
from monitory_predict.cache.history import HistoryCache
from monitory_retrain.dataset import hour_table, labels
from monitory_retrain.ingest.kernels import VECTORISED
from tests.faults.conftest import Ledger
from tests.support import models
from tests.support.fakes import MemoryStorage
from tests.support.samples import DAY, MACHINE, hour_of_readings, lake_key, ndjson
from tests.support.world import model_text

SENSORS = load()
WIDTH = len(hour_row.Columns(SENSORS))
Reading = dict[str, Any]


def _hours(day: date = DAY, hours: Sequence[int] = range(24), machine: Machine = MACHINE) -> dict[int, list[Reading]]:
    """Readings of a running machine's day by hour, whose values tell hour and number apart."""
    start = datetime(day.year, day.month, day.day)
    return {hour: _running(start + timedelta(hours=hour), 45 + hour / 10, machine) for hour in hours}


_SCALE = {"active_power": 1000.0, "reactive_power": 1000.0, "vibration": 0.05}
"""So that all sensors stay within their limits."""


def _running(start: datetime, level: float, machine: Machine = MACHINE) -> list[Reading]:
    def value(number: int) -> float:
        return level + number % 7

    readings = hour_of_readings(start, machine=machine, value=value)
    return [{**one, "val": one["val"] * _SCALE.get(one["sensorType"], 1.0)} for one in readings]


def _lake(objects: Sequence[Sequence[Reading]], day: date = DAY, machine: Machine = MACHINE) -> Lake:
    storage = MemoryStorage()
    for number, readings in enumerate(objects):
        storage.put(lake_key(day, f"{number:03d}", machine), ndjson(readings))
    return Lake(storage, "EQUIPMENT", SENSORS, VECTORISED)


def _rows(lake: Lake, day: date = DAY, machine: Machine = MACHINE) -> tuple[MachineDay, list[Any]]:
    content = lake.refresh(MachineDay(), lake.machine_day(machine, day))
    return content, [(hour.hour, str(hour.values), hour.readings) for hour in content.hours]


CLEAN = _rows(_lake(list(_hours().values())))[1]


def _shuffled(chosen: random.Random) -> list[list[Reading]]:
    return [chosen.sample(readings, len(readings)) for readings in _hours().values()]


def _repeated(chosen: random.Random) -> list[list[Reading]]:
    return [readings + chosen.choices(readings, k=20) for readings in _hours().values()]


def _split(chosen: random.Random) -> list[list[Reading]]:
    parts = []
    for readings in _hours().values():
        cut = chosen.randrange(1, len(readings))
        parts += [readings[: cut + 5], readings[cut:]]
    return parts


def _overlapping(chosen: random.Random) -> list[list[Reading]]:
    """Objects whose windows are half an hour off and overlap: each hour lies in several."""
    everything = [reading for readings in _hours().values() for reading in readings]
    return [everything[at : at + 150] for at in range(0, len(everything), 90)]


def _strangers(chosen: random.Random) -> list[list[Reading]]:
    others = _hours(machine=Machine("ZONE-001", "EQUIP-002"))
    return [readings + chosen.choices(others[hour], k=15) for hour, readings in _hours().items()]


def _jumping(chosen: random.Random) -> list[list[Reading]]:
    """A clock that jumps a day back or ahead now and then: those readings are of another date."""
    odd = [
        {**reading, "time": (datetime.fromisoformat(reading["time"]) + timedelta(days=days)).isoformat()}
        for reading in _hours()[3][:9]
        for days in (-1, 1)
    ]
    return [readings + odd for readings in _hours().values()]


def _all_at_once(chosen: random.Random) -> list[list[Reading]]:
    everything = [reading for readings in _hours().values() for reading in readings] * 2
    chosen.shuffle(everything)
    return [everything[at::17] for at in range(17)]


@pytest.mark.parametrize("make", [_shuffled, _repeated, _split, _overlapping, _strangers, _jumping, _all_at_once])
def test_the_result_is_that_of_the_clean_day(
    make: Callable[[random.Random], list[list[Reading]]], ledger: Ledger
) -> None:
    content, found = _rows(_lake(make(random.Random(0))))
    rejected = {reason for seen in content.objects for reason in seen.rejected}
    told = {"_strangers": {"other_machine"}, "_jumping": {"other_date"}}.get(make.__name__, set())
    lost = sum(row not in found for row in CLEAN) + (rejected != told)
    ledger.note("data", make.__name__.strip("_").replace("_", " "), "the clean day's rows", tries=24, lost=lost)
    assert found == CLEAN
    assert rejected == told


def test_units_that_are_swapped_are_told_as_outside(ledger: Ledger) -> None:
    other = {"temp": "pressure", "pressure": "temp"}
    readings = _running(datetime(2026, 11, 20, 5), 80.0)
    swapped = [{**reading, "sensorType": other.get(reading["sensorType"], "x")} for reading in readings]
    content, _ = _rows(_lake([swapped]))
    values = content.hours[0].values
    outside = values[Columns(SENSORS).index("pressure", "outside")]
    model = _model()
    found = predict([content.hours[0]], MACHINE, model, SENSORS, Condition())
    ledger.note("data", "units swapped", "outside the range seen in training", lost=not found.warnings)
    assert outside == 1.0
    assert any("outside the range seen in training" in warning for warning in found.warnings)


def _model() -> Model:
    """A model that saw pressures around 35."""
    card = models.card(ranges={"pressure": (25.0, 46.0)})
    return Model(model_text(0), card, feature_names=vector.names(SENSORS), cap_days=30.0)


def test_frozen_sensors_are_told(ledger: Ledger) -> None:
    readings = _running(datetime(2026, 11, 20, 5), 50.0)
    frozen = [{**r, "val": 61.5} if r["sensorType"] == "temp" else r for r in readings]
    content, _ = _rows(_lake([frozen]))
    found = predict([content.hours[0]], MACHINE, _model(), SENSORS, Condition())
    ledger.note("data", "frozen sensor", "state degraded, sensor named", lost=found.state != "degraded")
    assert found.state == "degraded"
    assert found.flat_sensors == ["temperature"]


def test_a_day_without_data_leaves_a_gap_and_no_zeros(ledger: Ledger) -> None:
    first, third = DAY - timedelta(days=2), DAY
    history: list[HourRow] = []
    for day in (first, third):
        content, _ = _rows(_lake(list(_hours(day).values()), day), day)
        history += content.hours
    values = dict(zip(vector.names(SENSORS), vector.build(history, SENSORS, None), strict=True))
    mean = np.mean([row.values[0] for row in history])
    ledger.note("data", "a day without data", "means of what is there")
    assert values["temperature_mean_72h"] == pytest.approx(mean)
    assert values["temperature_mean_24h"] == pytest.approx(np.mean([row.values[0] for row in history[-24:]]))


def test_a_machine_that_appears_and_disappears(ledger: Ledger) -> None:
    present, gone = Machine("ZONE-001", "EQUIP-001"), Machine("ZONE-001", "EQUIP-009")
    days = {}
    for day, machines in ((DAY - timedelta(days=1), [present, gone]), (DAY, [present])):
        lakes = {m: _rows(_lake(list(_hours(day, machine=m).values()), day, m), day, m)[0] for m in machines}
        days[day] = hour_table.from_days(lakes, WIDTH)
    whole = hour_table.join(list(days.values()), WIDTH)
    found = labels.label(whole, SENSORS, cap_days=30.0, share=0.5, count=1)
    rows_of = {machine: part.stop - part.start for machine, part in whole.slices()}
    ledger.note("data", "machines come and go", "rows of each, labels left out and counted", lost=rows_of[gone] != 24)
    assert rows_of == {present: 48, gone: 24}
    assert found.left_out[labels.CENSORED] == 72
    with pytest.raises(NoData, match="EQUIP-009"):
        _recent(_lake(list(_hours().values()))).history_at(gone, datetime(2026, 11, 21, 0, 30, tzinfo=KST))


def _recent(lake: Lake) -> HistoryCache:
    settings = RetrainSettings(log_level="CRITICAL")
    return HistoryCache(lake, MemoryStorage(), ThreadPoolExecutor(4), logger("data", settings), timedelta(hours=3))


@pytest.fixture(params=["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Seoul", "UTC"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A runner somewhere else."""
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    assert os.environ.get("TZ") == before
    time.tzset()


CHANGES = [date(2026, *day) for day in ((3, 8), (3, 29), (4, 5), (10, 4), (10, 25), (11, 1))]
CALENDAR = [date(2024, 2, 29), date(2026, 12, 31), date(2027, 1, 1), date(2000, 2, 29), date(2026, 2, 28)]


def test_no_clock_of_the_runner_matters(zone: str, ledger: Ledger) -> None:
    lost = 0
    for day in CHANGES + CALENDAR:
        lake = _lake(list(_hours(day).values()), day)
        found = [hour for hour, _, _ in _rows(lake, day)[1]]
        lost += found != list(range(first_hour(day), first_hour(day) + 24))
        evening = datetime(day.year, day.month, day.day, 23, 59, tzinfo=KST)
        recent = _recent(lake).history_at(MACHINE, evening)
        lost += recent.newest.hour != hour_of(evening) or len(recent.rows) != 24
    tries = 2 * len(CHANGES + CALENDAR)
    ledger.note("data", "daylight saving, leap days, year's ends", "24 hours a day", tries=tries, lost=lost)
    assert not lost


def test_history_reaches_over_the_years_end_and_the_leap_day(ledger: Ledger) -> None:
    for last in (date(2027, 1, 1), date(2024, 3, 1)):
        history: list[HourRow] = []
        for day in (last - timedelta(days=2), last - timedelta(days=1), last):
            content, _ = _rows(_lake(list(_hours(day).values()), day), day)
            history += content.hours
        assert [row.hour for row in history] == list(range(history[0].hour, history[0].hour + 72))
        values = dict(zip(vector.names(SENSORS), vector.build(history, SENSORS, None), strict=True))
        assert not np.isnan(values["temperature_slope_72h"])
    ledger.note("data", "history over a year's end and a leap day", "72 hours without a gap", tries=2)


def test_an_object_that_comes_late_changes_only_its_hour(ledger: Ledger) -> None:
    hours = _hours()
    lake = _lake([readings for hour, readings in hours.items() if hour != 7])
    before = lake.refresh(MachineDay(), lake.machine_day(MACHINE, DAY))
    assert isinstance(lake.storage, MemoryStorage)
    lake.storage.put(lake_key(DAY, "late"), ndjson(hours[7]))
    after = lake.refresh(before, lake.machine_day(MACHINE, DAY))
    found = [(hour.hour, str(hour.values), hour.readings) for hour in after.hours]
    ledger.note("data", "an object comes late", "the clean day's rows", lost=found != CLEAN)
    assert found == CLEAN
    assert FailureState().condition(MACHINE, after.hours, SENSORS).last_failure is None
