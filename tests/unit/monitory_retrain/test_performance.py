"""Realised accuracy of a small factory whose truth is known to the hour."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest

from monitory.clock import first_hour, hour_start
from monitory.log import logger
from monitory.logbook.logbook import read_logbook
from monitory.machine import Machine
from monitory.scoring import performance as stored
from monitory.scoring import prediction_log
from monitory.scoring.performance import Accuracy, Performance
from monitory_retrain import performance
from monitory_retrain.dataset import labels
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.dataset.labels import Labels
from monitory_retrain.evaluation import realised
from monitory_retrain.invocation.events import TrainingRequest
from tests.support import reports
from tests.support.fakes import WatchedStorage, down
from tests.support.prediction_lines import line, write

FIRST, LAST = date(2026, 10, 22), date(2026, 11, 20)
START = first_hour(FIRST)
HOURS = 30 * 24
SETTINGS = reports.SETTINGS.model_copy(update={"log_level": "CRITICAL"})
REQUEST = TrainingRequest(FIRST, LAST, by="tests")
LATE, EARLY, REPAIRED, HEALTHY = (Machine("ZONE-001", f"EQUIP-00{number}") for number in range(1, 5))
MACHINES = [LATE, EARLY, REPAIRED, HEALTHY]
LAKE = "1a2b3c4d"
OLD, NEW = "2026/10/20/150312", "2026/11/05/150312"
FAILURE, WORK, FALSE = 500, 400, 200
"""Hours since the start: two failures, one maintenance, and the first of ten hours with a false alarm."""


@dataclass
class Factory:
    """A model bucket with a prediction log, and what happened meanwhile."""

    models: WatchedStorage
    table: HourTable
    labels: Labels

    def measure(self) -> Performance | None:
        return performance.measure(
            self.models, LAKE, SETTINGS, self.table, self.labels, REQUEST, logger("tests", SETTINGS)
        )


def predicted(machine: Machine, hour: int) -> tuple[float, tuple[float, float | None]]:
    """What was predicted: days and interval. One machine's failure half a day late, another's two days early."""
    days = 30.0
    if machine == LATE and hour < FAILURE:
        days = (FAILURE - hour) / 24 + 0.5
    elif machine == EARLY and hour < FAILURE:
        days = max((FAILURE - hour) / 24 - 2, 0.0)
    elif machine == REPAIRED and hour < WORK:
        days = (WORK - hour) / 24 + 1
    elif machine == HEALTHY and FALSE <= hour < FALSE + 10:
        days = 2.0
    return days, (max(days - 1, 0.0), days + 1 if days < 30 else None)


def logbook_line(machine: Machine, kind: str, hour: int, hours: int) -> bytes:
    start, end = (hour_start(START + at).isoformat() for at in (hour, hour + hours))
    return json.dumps({"equipId": machine.equip_id, "kind": kind, "start": start, "end": end}).encode()


@pytest.fixture(scope="module")
def written() -> Factory:
    models = WatchedStorage()
    lines: dict[int, dict[Machine, bytes]] = defaultdict(dict)
    for machine in MACHINES:
        for hour in range(HOURS):
            version = OLD if hour < 480 else NEW
            lines[START + hour][machine] = line(machine, *predicted(machine, hour), version)
    write(models, LAKE, lines)
    n = len(MACHINES) * HOURS
    rng = np.random.default_rng(0)
    table = HourTable(
        MACHINES,
        np.repeat(np.arange(len(MACHINES)), HOURS),
        np.tile(np.arange(START, START + HOURS), len(MACHINES)),
        np.array([reports._row(rng, 0.0) for _ in range(n)]),
        np.full(n, 4320),
        np.zeros(n, dtype=np.int64),
    )
    logbook = read_logbook(
        b"\n".join(
            [
                logbook_line(LATE, "failure", FAILURE, 10),
                logbook_line(EARLY, "failure", FAILURE, 10),
                logbook_line(REPAIRED, "maintenance", WORK, 5),
            ]
        )
    )
    truth = labels.label(table, reports.SENSORS, cap_days=30, share=0.5, count=1, logbook=logbook)
    return Factory(models, table, truth)


@pytest.fixture
def factory(written: Factory) -> Factory:
    models = WatchedStorage()
    models.objects = dict(written.models.objects)
    return Factory(models, written.table, written.labels)


def overall(factory: Factory) -> Accuracy:
    figures = factory.measure()
    assert figures is not None
    return figures.overall


def test_every_hour_of_a_running_machine_before_its_failure_is_judged(factory: Factory) -> None:
    assert overall(factory).hours == len(MACHINES) * HOURS - 10 - 10 - 5


@pytest.mark.parametrize(
    ("days", "error", "bias", "coverage"),
    # a day before its failure the early one cannot be two days early
    [(1, 0.75, -0.25, 1.0), (3, 1.25, -0.75, 0.5), (7, 1.25, -0.75, 0.5), (14, 1.25, -0.75, 0.5)],
)
def test_errors_before_failures_are_the_true_ones(
    factory: Factory, days: int, error: float, bias: float, coverage: float
) -> None:
    (horizon,) = (entry for entry in overall(factory).horizons if entry.days == days)
    assert (horizon.failures, horizon.coverage) == (2, coverage)
    assert horizon.mean_absolute_error_days == pytest.approx(error)
    assert horizon.mean_error_days == pytest.approx(bias)
    assert horizon.maintenance == 1
    assert horizon.maintenance_rul_days == pytest.approx(days + 1)


def test_the_mean_error_counts_each_hour_as_far_as_it_was_watched(factory: Factory) -> None:
    errors = []
    for machine in MACHINES:
        for hour in range(HOURS):
            ends, watched = {LATE: FAILURE, EARLY: FAILURE, REPAIRED: WORK}.get(machine, HOURS), HOURS - hour
            if ends < HOURS and ends <= hour < ends + (5 if machine == REPAIRED else 10):
                continue
            if machine == REPAIRED and hour < WORK:
                watched = WORK - hour
            if hour >= ends or ends == HOURS or machine == REPAIRED:
                # nobody saw the end: the truth is as long as the hour was watched, the last hour is not over
                last = WORK if machine == REPAIRED and hour < WORK else HOURS - 1
                true = watched = last - hour
            else:
                true = ends - hour
            days = predicted(machine, hour)[0]
            errors.append(abs(min(days, watched / 24) - min(true, watched) / 24))
    assert overall(factory).mae_days == pytest.approx(np.mean(errors), abs=1e-9)


def test_stops_are_announced_or_missed_as_people_were_told(factory: Factory) -> None:
    five, three = overall(factory).announcements
    assert (five.failures, five.announced, five.missed) == (2, 2, 0)
    assert (five.maintenance, five.maintenance_announced) == (1, 1)
    # the third hour at or below the limit announces: 4.5 and 7 days before the failures
    assert five.median_lead_days == pytest.approx(((4.5 - 2 / 24) + (7 - 2 / 24)) / 2)
    assert (five.raised, five.false) == (4, 1)
    assert five.machine_months == pytest.approx((len(MACHINES) * HOURS - 25) / 720)
    assert three.median_lead_days == pytest.approx(((2.5 - 2 / 24) + (5 - 2 / 24)) / 2)


def test_each_version_answers_for_its_own_hours(factory: Factory) -> None:
    figures = factory.measure()
    assert figures
    old, new = figures.versions
    assert (old.version, new.version) == (OLD, NEW)
    assert old.hours + new.hours == figures.overall.hours
    assert [(entry.days, entry.failures) for entry in old.horizons] == [(1, 2), (3, 2), (7, 2), (14, 2)]
    assert [entry.failures for entry in new.horizons] == [0, 0, 0, 0]
    assert (old.announcements[0].failures, new.announcements[0].failures) == (0, 2)


def test_a_missing_hour_is_answered_by_the_one_before(factory: Factory) -> None:
    del factory.models.objects[prediction_log.key(LAKE, START + FAILURE - 72)]
    (three,) = (entry for entry in overall(factory).horizons if entry.days == 3)
    assert three.failures == 2
    assert three.mean_absolute_error_days == pytest.approx(1.25)


def test_the_log_is_read_once_with_a_listing_a_day(factory: Factory) -> None:
    factory.models.calls.clear()
    factory.measure()
    assert dict(factory.models.calls) == {"list": 30, "get": HOURS}


def test_without_a_log_there_are_no_figures(factory: Factory) -> None:
    factory.models.objects.clear()
    assert factory.measure() is None
    assert factory.models.calls["get"] == 0


def test_damaged_objects_and_lines_are_left_out(factory: Factory) -> None:
    factory.models.put(prediction_log.key(LAKE, START + 10), b"damaged")
    factory.models.objects.pop(prediction_log.key(LAKE, START + 11))
    prediction_log.add(factory.models, LAKE, START + 11, {HEALTHY: line(HEALTHY, 30.0)})
    assert overall(factory).hours == len(MACHINES) * HOURS - 25 - 4 - 3


@pytest.mark.parametrize("verb", ["list", "get"])
def test_a_store_that_fails_costs_the_figures_only(factory: Factory, verb: str) -> None:
    factory.models.before = lambda called, key: down(called, key) if called == verb else None
    assert factory.measure() is None


def test_a_defect_costs_the_figures_only(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realised, "performance", lambda *args, **kwargs: 1 / 0)
    assert factory.measure() is None


def test_the_newest_days_stay_the_latest(factory: Factory) -> None:
    figures = factory.measure()
    assert figures
    stored.write(factory.models, figures)
    older = figures.model_copy(update={"last_day": date(2026, 6, 30)})
    stored.write(factory.models, older)
    assert stored.latest(factory.models) == figures
    names = [entry.key for entry in factory.models.list(stored.FOLDER)]
    assert names == ["performance/2026-06-30.json", "performance/2026-11-20.json", "performance/latest.json"]
    factory.models.put(stored.LATEST, b"damaged")
    stored.write(factory.models, older)
    assert stored.latest(factory.models) == older


def test_promises_are_judged_with_enough_failures_only(factory: Factory) -> None:
    figures = overall(factory)
    assert realised.shortfalls(figures, 0.99) == []
    records = [
        record.model_copy(update={"failures": 10, "announced": announced, "missed": 10 - announced})
        for record, announced in zip(figures.announcements, (5, 4), strict=True)
    ]
    poor = figures.model_copy(update={"announcements": records, "coverage": 0.79})
    assert realised.shortfalls(poor, 0.9) == [
        "79% of the intervals held what happened, 90% are promised",
        "6 of 10 failures were not announced at D-3",
    ]
    assert realised.shortfalls(poor.model_copy(update={"coverage": 0.81}), 0.9)[0].startswith("6 of 10")
