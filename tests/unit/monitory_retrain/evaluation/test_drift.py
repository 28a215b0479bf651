"""Drift: PSI, what is usual, and how often it cries wolf."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from monitory.machine import Machine
from monitory.sensors import Sensor, SensorSet
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.evaluation import drift, drift_reference, psi
from monitory_retrain.evaluation.drift import Drift, Reference
from monitory_retrain.model_card import encode
from tests.support import reports

SENSORS = SensorSet(
    tuple(Sensor(name, name, unit, 0.0, 100.0) for name, unit in (("heat", "°C"), ("shake", "mm/s"), ("flow", "")))
)
WINDOWS = (5, 24)
NAMES = tuple(f"{sensor}_mean_{window}h" for sensor in SENSORS.names for window in WINDOWS)
MACHINES = 12


def park(days: int, seed: int, machines: int = MACHINES) -> Dataset:
    """Machines that differ, with a daily load and slowly wandering levels: hours are anything but independent."""
    rng = np.random.default_rng(seed)
    hours = days * 24
    parts = []
    for machine in range(machines):
        columns = []
        for _ in SENSORS.names:
            wander = np.zeros(hours)
            noise = rng.normal(0, 1.0, hours)
            for at in range(1, hours):
                wander[at] = 0.97 * wander[at - 1] + 0.24 * noise[at]
            load = np.sin(np.arange(hours) / 24 * 2 * np.pi)
            level = 50 + rng.normal(0, 1.0) + wander + 0.5 * load + rng.normal(0, 0.3, hours)
            for window in WINDOWS:
                sums = np.cumsum(np.r_[0.0, level])
                begin = np.maximum(np.arange(hours) + 1 - window, 0)
                columns.append((sums[1:] - sums[begin]) / (np.arange(hours) + 1 - begin))
        parts.append((np.column_stack(columns), np.full(hours, machine), np.arange(hours)))
    x, machine_of, hour = (np.concatenate(part) for part in zip(*parts, strict=True))
    owners = [Machine("Z", f"E{number}") for number in range(machines)]
    return Dataset(
        NAMES, x, np.full(len(x), np.nan), np.full(len(x), np.nan), machine_of, hour, hour, machine_of, owners
    )


def rul(rows: Dataset) -> Floats:
    """Answers of a model that looks at one feature."""
    return np.clip(60 - rows.x[:, 1], 0, 30)


def learnt(rows: Dataset, days: int) -> Reference:
    older = rows.take(rows.hour < days * 24)
    found = drift.reference(older, NAMES, rul(older))
    assert found is not None
    return found


def one_day(rows: Dataset, day: int) -> Dataset:
    return rows.take(rows.hour // 24 == day)


def told(known: Reference | None, day: Dataset) -> Drift:
    return drift.compare(known, day, rul(day), SENSORS, "2026/11/20/150102")


def raised(day: Dataset, sensor: str, by: float) -> Dataset:
    columns = [index for index, name in enumerate(NAMES) if name.startswith(sensor)]
    x = day.x.copy()
    x[:, columns] += by
    return replace(day, matrix=x, at=None)


@pytest.fixture(scope="module")
def rows() -> Dataset:
    return park(20, seed=1)


@pytest.fixture(scope="module")
def known(rows: Dataset) -> Reference:
    return learnt(rows, 15)


def test_psi_is_zero_for_equal_shares_and_symmetric_and_as_the_formula_says() -> None:
    a, b = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    assert psi.psi(a, a) == 0
    assert psi.psi(a, b) == pytest.approx(psi.psi(b, a))
    assert psi.psi(a, b) == pytest.approx(2 * 0.3 * np.log(0.5 / 0.2))


def test_an_empty_bin_gives_a_large_but_finite_psi() -> None:
    assert 5 < psi.psi(np.array([1.0, 0.0]), np.array([0.0, 1.0])) < 20


def test_the_reference_holds_deciles_and_shares_that_add_up(known: Reference) -> None:
    for distribution in known.features.values():
        assert len(distribution.edges) == psi.BINS - 1
        assert len(distribution.shares) == psi.BINS + 1
        assert sum(distribution.shares) == pytest.approx(1, abs=1e-4)
        assert distribution.shares[:-1] == pytest.approx([0.1] * 10, abs=0.01)
    assert known.days == 15 - drift_reference.WARM_UP_DAYS


def test_the_reference_comes_back_out_of_a_model_card() -> None:
    card = reports.findings().card
    assert card.reference is not None
    assert drift.of_card(encode(card)) == card.reference
    assert drift.of_card(b'{"version": "an older card"}') is None
    assert drift.of_card(b"no JSON") is None


def test_a_card_stays_small(known: Reference) -> None:
    assert len(msgspec.json.encode(known)) / len(known.features) < 400


def test_undrifted_days_rarely_alarm() -> None:
    nights = []
    for seed in range(20):
        month = park(20, seed=100 + seed)
        reference = learnt(month, 15)
        nights += [bool(told(reference, one_day(month, day)).with_status("moved")) for day in range(15, 20)]
    assert np.mean(nights) <= 0.05


def test_the_customary_limit_alone_would_alarm_on_most_undrifted_days(rows: Dataset, known: Reference) -> None:
    largest = [max(sensor.psi for sensor in told(known, one_day(rows, day)).sensors) for day in range(15, 20)]
    assert np.mean(np.array(largest) > drift.MOVED_PSI) >= 0.5


@pytest.mark.parametrize("by", [-4.0, 4.0])
def test_a_sensor_that_reads_differently_has_moved_and_the_others_have_not(
    rows: Dataset, known: Reference, by: float
) -> None:
    found = told(known, raised(one_day(rows, 17), "shake", by))
    assert found.with_status("moved") == ["shake"]
    first = found.sensors[0]
    assert first.psi > drift.MOVED_PSI
    assert "mm/s" in first.sentence
    assert "in training" in first.sentence


def test_a_silent_sensor_has_moved_and_the_sentence_says_that_it_is_missing(rows: Dataset, known: Reference) -> None:
    day = raised(one_day(rows, 17), "heat", np.nan)
    found = told(known, day)
    assert found.with_status("moved") == ["heat"]
    assert found.sensors[0].sentence == "heat is missing in 100% of the hours, in training in 0%"


def test_answers_that_fall_are_told(rows: Dataset, known: Reference) -> None:
    day = one_day(rows, 17)
    found = drift.compare(known, day, np.zeros(len(day)), SENSORS)
    assert found.predictions is not None
    assert found.predictions.status == "moved"
    assert "median 0 days" in found.predictions.sentence


def test_few_rows_are_given_more_leeway(rows: Dataset, known: Reference) -> None:
    day = raised(one_day(rows, 17), "shake", 1.2)
    few = day.take(day.machine == 0).take(np.arange(24))
    assert (
        told(known, few).sensors[0].ratio
        < max(
            drift.compare(msgspec.structs.replace(known, rows=24 * known.days), few, rul(few), SENSORS).sensors,
            key=lambda sensor: sensor.ratio,
        ).ratio
    )


def test_a_feature_that_the_day_lacks_is_passed_over(rows: Dataset, known: Reference) -> None:
    day = one_day(rows, 17)
    heat = [index for index, name in enumerate(NAMES) if name.startswith("heat")]
    found = drift.compare(known, replace(day, names=NAMES[:2], matrix=day.x[:, heat], at=None), rul(day), SENSORS)
    assert [sensor.name for sensor in found.sensors] == ["heat"]


def test_without_a_reference_nothing_is_judged(rows: Dataset) -> None:
    found = told(None, one_day(rows, 17))
    assert found.unjudged == "the model's card keeps no distribution of its training data"
    assert found.sensors == ()


def test_too_few_days_of_training_judge_nothing(rows: Dataset) -> None:
    found = told(learnt(rows, 6), one_day(rows, 17))
    assert found.unjudged == "training had 3 full days, 5 are needed to know what is usual"


def test_too_few_hours_of_the_last_day_judge_nothing(rows: Dataset, known: Reference) -> None:
    found = told(known, one_day(rows, 17).take(np.arange(10)))
    assert found.unjudged == "10 hours of running machines on the last day, 24 are needed"
    assert told(known, rows.take(np.arange(0))).day is None


def test_hardly_any_training_gives_no_reference(rows: Dataset) -> None:
    none = rows.take(np.arange(0))
    assert drift.reference(none, NAMES, rul(none)) is None
    warm_up = rows.take(rows.hour < 48)
    assert drift.reference(warm_up, NAMES, rul(warm_up)) is None


def test_a_feature_that_is_always_missing_or_constant_does_not_break_it(rows: Dataset) -> None:
    x = rows.x.copy()
    x[:, 0], x[:, 1] = np.nan, 7.0
    odd = replace(rows, matrix=x)
    reference = learnt(odd, 15)
    assert reference.features[NAMES[0]].median is None
    found = told(reference, one_day(odd, 17))
    assert "heat" not in found.with_status("moved")
