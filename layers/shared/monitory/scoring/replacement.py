"""When to replace a machine's worn part: the planned stop with the least expected cost per running day.

Age replacement by renewal reward (Barlow and Hunter, "Optimum Preventive Maintenance Policies", Operations Research 8,
1960), conditional on what is known of this machine now: it has run for some days a, and its remaining life has the
survival curve S. Planned t days from now, the present run costs, per running day,

    C(t) = (planned S(t) + unplanned (1 - S(t))) / (a + integral of S from 0 to t)

and the best t minimises it. A new machine, a = 0 with S of whole lives, is the classical case.
"""

from collections.abc import Sequence
from typing import NamedTuple

from monitory.errors import SettingsError
from monitory.model.distribution import Distribution

_STEPS = 4
"""Points that are tried between two of the survival curve's."""


class StopCosts(NamedTuple):
    """What a stop costs, in any one unit: the work, the parts and the production that is lost."""

    planned: float
    unplanned: float


class Replacement(NamedTuple):
    """The best planned stop.

    Attributes:
        days: from now.
        saving: expected, per running day, against running on as far as the survival curve tells; cost units.
    """

    days: float
    saving: float


def stop_costs(planned: float, unplanned: float) -> StopCosts | None:
    """The costs of the settings; None where both are 0.

    Raises:
        SettingsError: one is missing, or a planned stop is not the cheaper one.
    """
    if not planned and not unplanned:
        return None
    if not planned or not unplanned:
        raise SettingsError("PLANNED_STOP_COST and UNPLANNED_STOP_COST are set together, or neither is")
    if unplanned <= planned:
        raise SettingsError(
            f"UNPLANNED_STOP_COST: {unplanned:g} must be more than PLANNED_STOP_COST ({planned:g}), "
            "or nothing is gained by planning"
        )
    return StopCosts(planned, unplanned)


def best_replacement(distribution: Distribution, predicted: float, age: float, costs: StopCosts) -> Replacement | None:
    """The best planned stop of a machine; None where none before the end of its survival curve beats running on.

    Args:
        distribution: of the life left, given the predicted RUL.
        predicted: RUL, days.
        age: for how many days the machine has run; at least 0.
        costs: of stops.
    """
    times, survival = _refined(distribution.days, distribution.survival(predicted))
    rates = []
    running = age
    for at, (time, alive) in enumerate(zip(times, survival, strict=True)):
        if at:
            running += (time - times[at - 1]) * (alive + survival[at - 1]) / 2
        expected = costs.planned * alive + costs.unplanned * (1 - alive)
        rates.append(expected / running if running > 0 else float("inf"))
    best = min(range(len(rates)), key=rates.__getitem__)
    if best == len(rates) - 1:
        return None
    return Replacement(times[best], rates[-1] - rates[best])


def _refined(days: Sequence[float], survival: Sequence[float]) -> tuple[list[float], list[float]]:
    """A curve with points in between, on its straight lines."""
    times, values = [days[0]], [survival[0]]
    for at in range(1, len(days)):
        for step in range(1, _STEPS + 1):
            share = step / _STEPS
            times.append(days[at - 1] + share * (days[at] - days[at - 1]))
            values.append(survival[at - 1] + share * (survival[at] - survival[at - 1]))
    return times, values
