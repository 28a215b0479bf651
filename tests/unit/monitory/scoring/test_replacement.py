"""Replace-by dates of lives with a closed form."""

import math

import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from monitory.errors import SettingsError
from monitory.model.distribution import Distribution, SurvivalCurve
from monitory.scoring.replacement import StopCosts, best_replacement, stop_costs

CAP = 30.0
COSTS = StopCosts(1.0, 10.0)


def weibull(shape: float, scale: float, age: float = 0.0, step: float = 0.05) -> Distribution:
    """Remaining lives of a Weibull law, given the age; days."""
    days = tuple(step * at for at in range(round(CAP / step) + 1))
    alive = tuple(math.exp((age / scale) ** shape - ((age + day) / scale) ** shape) for day in days)
    return Distribution(0.9, days, (SurvivalCurve(10.0, alive),))


def classical(shape: float, scale: float, costs: StopCosts) -> tuple[float, float]:
    """Barlow and Hunter's optimum of new machines: days, and cost per day."""

    def rate(days: float) -> float:
        alive = math.exp(-((days / scale) ** shape))
        mean, _ = quad(lambda t: math.exp(-((t / scale) ** shape)), 0, days)
        return (costs.planned * alive + costs.unplanned * (1 - alive)) / float(mean)

    found = minimize_scalar(rate, bounds=(0.01, CAP), method="bounded")
    return float(found.x), float(found.fun)


@pytest.mark.parametrize(("shape", "scale", "unplanned"), [(2.0, 10.0, 5.0), (3.0, 12.0, 10.0), (5.0, 8.0, 3.0)])
def test_a_new_machine_is_replaced_at_the_classical_age(shape: float, scale: float, unplanned: float) -> None:
    costs = StopCosts(1.0, unplanned)
    days, rate = classical(shape, scale, costs)
    best = best_replacement(weibull(shape, scale), 10.0, 0.0, costs)
    assert best is not None
    assert best.days == pytest.approx(days, abs=0.05)
    run_to_failure = unplanned / (scale * math.gamma(1 + 1 / shape))
    assert best.saving == pytest.approx(run_to_failure - rate, abs=1e-3)


def test_with_a_shape_of_two_the_optimum_solves_its_equation() -> None:
    # for h(t) = 2t/b²: (c_u - c_p) (h(t) ∫S - F(t)) = c_p
    scale, best = 10.0, best_replacement(weibull(2.0, 10.0), 10.0, 0.0, StopCosts(1.0, 5.0))
    assert best is not None
    alive = math.exp(-((best.days / scale) ** 2))
    mean = scale * math.sqrt(math.pi) / 2 * math.erf(best.days / scale)
    assert 4 * (2 * best.days / scale**2 * mean - (1 - alive)) == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("age", [0.0, 5.0, 40.0])
def test_a_machine_that_does_not_wear_is_never_replaced(age: float) -> None:
    assert best_replacement(weibull(1.0, 10.0), 10.0, 0.0, COSTS) is None
    assert best_replacement(weibull(0.7, 10.0, age), 10.0, 0.0, COSTS) is None


def test_a_life_known_to_the_hour_is_used_to_its_last() -> None:
    sure = Distribution(0.9, (0.0, 4.0, 4.01, CAP), (SurvivalCurve(4.0, (1.0, 1.0, 0.0, 0.0)),))
    best = best_replacement(sure, 4.0, 6.0, COSTS)
    assert best is not None
    assert best.days == 4.0
    assert best.saving == pytest.approx(10 / 10.005 - 1 / 10, abs=1e-6)


def test_the_dearer_a_failure_the_earlier_the_stop() -> None:
    found = [best_replacement(weibull(3.0, 12.0), 10.0, 0.0, StopCosts(1.0, dear)) for dear in (3.0, 10.0, 100.0)]
    days = [best.days for best in found if best]
    assert days == sorted(days, reverse=True)
    assert len(set(days)) == 3


def test_a_machine_that_outlives_the_curve_is_not_planned() -> None:
    flat = Distribution(0.9, (0.0, CAP), (SurvivalCurve(CAP, (1.0, 0.999)),))
    assert best_replacement(flat, CAP, 3.0, COSTS) is None


def test_a_failure_that_is_certain_at_once_is_replaced_now() -> None:
    gone = Distribution(0.9, (0.0, 0.04, CAP), (SurvivalCurve(0.0, (1.0, 0.0, 0.0)),))
    best = best_replacement(gone, 0.0, 6.0, COSTS)
    assert best is not None
    assert best.days == 0.0


@pytest.mark.parametrize(
    ("planned", "unplanned", "words"),
    [(1.0, 0.0, "set together"), (0.0, 1.0, "set together"), (5.0, 5.0, "must be more"), (5.0, 2.0, "must be more")],
)
def test_costs_that_mean_nothing_are_refused(planned: float, unplanned: float, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        stop_costs(planned, unplanned)


def test_without_costs_there_is_nothing_to_weigh() -> None:
    assert stop_costs(0.0, 0.0) is None
    assert stop_costs(1, 10) == COSTS
