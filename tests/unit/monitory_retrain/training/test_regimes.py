"""Operating regimes: found where there are some, learnt from the past only, seen alike in training and serving."""

from dataclasses import replace
from functools import cache

import msgspec
import numpy as np
import pytest

from monitory.features import vector
from monitory.features.failure_state import Condition
from monitory.features.hour_row import MAX, MIN, PER_SENSOR, HourRow
from monitory.log import logger
from monitory.model.model import Model
from monitory.scoring.prediction import predict
from monitory.sensors import SensorSet
from monitory_retrain import pipeline
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.evaluation import holdout as validation
from monitory_retrain.model_card import ModelCard
from monitory_retrain.pipeline import Challenger
from monitory_retrain.training import regimes as regime_learning
from tests.support import models, reports

WIDTH = len(PER_SENSOR)
OPERATING = msgspec.structs.replace(reports.SENSORS, operating=("active_power", "humidity"))
POWER, HUMIDITY, VIBRATION = (reports.SENSORS.names.index(name) * WIDTH for name in (*OPERATING.operating, "vibration"))
LOG = logger("tests", reports.SETTINGS)


def flown(points: list[tuple[float, float]], share: list[float] | None = None, noise: float = 0.01) -> HourTable:
    """Machines that wear as in `reports.table`, each hour at one of some set points, which move all vibration."""
    rng = np.random.default_rng(3)
    table = reports.table()
    at = rng.choice(len(points), size=len(table), p=share)
    values = table.values.copy()
    for offset in (0, 1, MIN, MAX):
        values[:, POWER + offset] = 40_000 + 20_000 * np.array(points)[at, 0] + rng.normal(0, 100 * noise, len(at))
        values[:, HUMIDITY + offset] = 40 + 20 * np.array(points)[at, 1] + rng.normal(0, noise, len(at))
        values[:, VIBRATION + offset] = values[:, VIBRATION + offset] * (1 + at / 2) + 50.0 * at
    return replace(table, values=values)


def served(challenger: Challenger, sensors: SensorSet) -> Model:
    """A challenger as serving loads it."""
    features = challenger.trained.features
    named = models.card(sensors=sensors, features=features, calibration=None, regimes=challenger.regimes)
    return Model(challenger.trained.text.encode(), named, feature_names=vector.names(sensors), cap_days=30.0)


def means(table: HourTable, rows: Floats | None = None) -> Floats:
    return table.values[:, VIBRATION] if rows is None else rows[:, VIBRATION]


THREE = [(0.0, 0.0), (1.0, 0.0), (0.5, 1.0)]


def test_set_points_that_stand_apart_are_found() -> None:
    table = flown(THREE, [0.2, 0.5, 0.3])
    found = regime_learning.learn(table, np.ones(len(table), dtype=bool), OPERATING)
    assert found is not None
    np.testing.assert_allclose(
        [regime.centre for regime in found.regimes], [(60_000, 40), (50_000, 60), (40_000, 40)], rtol=1e-3
    )
    assert [regime.hours for regime in found.regimes] == sorted((r.hours for r in found.regimes), reverse=True)
    assert sum(regime.hours for regime in found.regimes) >= 0.97 * len(table)
    assert {*found.sensors} == {*OPERATING.names} - {*OPERATING.operating}


def test_wear_is_what_is_left_when_regimes_are_told_apart() -> None:
    table = flown(THREE)
    found = regime_learning.learn(table, np.ones(len(table), dtype=bool), OPERATING)
    assert found is not None
    rows = found.normalised([HourRow(0, tuple(values)) for values in table.values.tolist()], OPERATING)
    wear = means(reports.table())
    raw, normalised = means(table), means(table, np.array([row.values for row in rows]))
    known = ~np.isnan(normalised)
    assert known.mean() > 0.97
    assert abs(np.corrcoef(raw, wear)[0, 1]) < 0.3
    assert np.corrcoef(normalised[known], wear[known])[0, 1] > 0.98


@pytest.mark.parametrize(
    ("points", "sensors"),
    [
        ([(0.0, 0.0)], OPERATING),
        ([(x, y) for x in np.linspace(0, 1, 30).tolist() for y in np.linspace(0, 1, 30).tolist()], OPERATING),
        (THREE, reports.SENSORS),
    ],
    ids=["one set point", "no clear ones", "no operating sensors"],
)
def test_there_is_nothing_to_tell_apart(points: list[tuple[float, float]], sensors: SensorSet) -> None:
    table = flown(points)
    assert regime_learning.learn(table, np.ones(len(table), dtype=bool), sensors) is None


def test_a_regime_with_a_few_hours_counts_as_not_seen() -> None:
    table = flown([*THREE, (2.0, 2.0)], [0.35, 0.35, 0.29, 0.01])
    found = regime_learning.learn(table, np.ones(len(table), dtype=bool), OPERATING)
    assert found is not None
    assert len(found.regimes) == 3
    rare = table.values[table.values[:, HUMIDITY] > 70]
    assert len(rare)
    assert {found.number(HourRow(0, tuple(values)), OPERATING) for values in rare.tolist()} == {None}


def test_what_never_varies_within_a_regime_stays_constant_to_the_last_bit() -> None:
    table = flown(THREE)
    temperature = OPERATING.names.index("temperature") * WIDTH
    values = table.values.copy()
    values[:, temperature] = 70.1 + 0.3 * values[:, POWER].round(-4) / 7
    found = regime_learning.learn(replace(table, values=values), np.ones(len(table), dtype=bool), OPERATING)
    assert found is not None
    rows = found.normalised([HourRow(0, tuple(row)) for row in values.tolist()], OPERATING)
    assert len({row.values[temperature] for row in rows if not np.isnan(row.values[temperature])}) == 1


def test_only_the_given_rows_are_learnt_from() -> None:
    table = flown(THREE)
    rows = np.arange(len(table)) % 2 == 0
    values = np.where(rows[:, None], table.values, -7.0)
    found = regime_learning.learn(table, rows, OPERATING)
    assert found is not None
    assert regime_learning.learn(replace(table, values=values), rows, OPERATING) == found


@cache
def learnt(sensors: SensorSet = OPERATING) -> Challenger:
    found = pipeline.learn(flown(THREE), sensors, reports.SETTINGS, reports.RECIPE, LOG)
    assert isinstance(found, Challenger), found
    return found


def card(challenger: Challenger, sensors: SensorSet = OPERATING) -> ModelCard:
    return pipeline.card(
        challenger,
        version="2026/11/16/150102",
        trained_at="2026-11-16T15:01:02+00:00",
        days=reports.DAYS,
        sensors=sensors,
        settings=reports.SETTINGS,
        recipe=reports.RECIPE,
    )


def test_a_model_that_knows_the_regimes_is_better() -> None:
    known, blind = learnt(), learnt(reports.SENSORS)
    assert known.regimes is not None
    assert blind.regimes is None
    assert known.scores.mae < 0.8 * blind.scores.mae
    assert not {name for name in known.trained.features if name.startswith(OPERATING.operating)}


def test_regimes_are_learnt_before_the_hold_out() -> None:
    regimes = learnt().regimes
    assert regimes is not None
    assert sum(regime.hours for regime in regimes.regimes) <= len(learnt().split.training)


def test_serving_sees_an_hour_as_training_did() -> None:
    challenger = learnt()
    model = served(challenger, OPERATING)
    holdout, table = challenger.split.holdout, challenger.table
    for at in range(0, len(holdout), 37):
        rows = np.flatnonzero((table.machine == holdout.machine[at]) & (table.hour <= holdout.hour[at]))
        history = [HourRow(int(table.hour[i]), tuple(table.values[i].tolist())) for i in rows]
        failed = challenger.labels.last_failure[rows[-1]]
        owner = holdout.machines[holdout.machine[at]]
        made = predict(history, owner, model, OPERATING, Condition(None if failed < 0 else int(failed)))
        values = dict(zip(holdout.names, holdout.x[at].tolist(), strict=True))
        assert made.estimate.days == model.value(values, owner.equip_id)


def test_a_regime_that_training_did_not_see_is_said() -> None:
    challenger = learnt()
    model = Model(
        challenger.trained.text.encode(), card(challenger), feature_names=vector.names(OPERATING), cap_days=30.0
    )
    values = challenger.table.values[-1].copy()
    known = HourRow(0, tuple(values.tolist()))
    values[POWER] = 90_000.0
    unseen = HourRow(0, tuple(values.tolist()))
    owner = challenger.table.machines[0]
    said = [predict([row], owner, model, OPERATING, Condition()).warnings for row in (known, unseen)]
    assert not [warning for warning in said[0] if "regime" in warning]
    assert "operating regime (active_power 90000, humidity" in said[1][-1]


def test_a_champion_is_given_features_that_training_no_longer_learns_from() -> None:
    challenger = learnt()
    holdout = challenger.split.holdout
    text = challenger.trained.text.replace("vibration_mean_24h", "vibration_std_24h")
    older = Model(text.encode(), None, feature_names=vector.names(OPERATING), cap_days=30.0)
    seen = pipeline.seen_with(older, holdout, replace(challenger, regimes=None), OPERATING, LOG)
    assert "vibration_std_24h" not in holdout.names
    assert np.isfinite(seen.column("vibration_std_24h")).mean() > 0.9
    np.testing.assert_array_equal((seen.machine, seen.hour), (holdout.machine, holdout.hour))


def test_a_champion_judges_by_the_regimes_that_it_knows() -> None:
    """Each model is given the hold-out in its own terms, row by row the same hours."""
    challenger, blind = learnt(), learnt(reports.SENSORS)
    holdout = challenger.split.holdout
    own = served(challenger, OPERATING)
    assert pipeline.seen_with(own, holdout, challenger, OPERATING, LOG) is holdout
    seen = pipeline.seen_with(served(blind, reports.SENSORS), holdout, challenger, OPERATING, LOG)
    assert {*seen.names} >= {*blind.split.holdout.names}
    for name in blind.split.holdout.names:
        np.testing.assert_array_equal(seen.column(name), blind.split.holdout.column(name))
    np.testing.assert_array_equal(seen.rul, holdout.rul)
    np.testing.assert_array_equal((seen.machine, seen.hour), (holdout.machine, holdout.hour))
    model = Model(blind.judged.trained.text.encode(), None, feature_names=seen.names, cap_days=30.0)
    np.testing.assert_array_equal(validation.predictions(model, seen), blind.predicted)
