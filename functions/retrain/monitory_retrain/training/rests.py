"""The rests of lives whose end was not seen, drawn for the rows that learn from them."""

import numpy as np

from monitory.features.vector import AGE
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.lifetimes import Lifetimes
from monitory_retrain.training.survival import Hazards

MIN_AGED_FAILURES = 5
"""Lives of known age that were seen to fail; fewer do not tell what an age means."""


class Rests:
    """The days left of rows, drawn where their end was not seen, by one hazard model of all of them.

    So a life that was seen to end has a part in the rests that are drawn for others, and by these in boosters that are
    to know nothing of it. A model for each booster would be free of that, and right about fewer failures.
    """

    def __init__(self, x: Floats, lives: Lifetimes, *, seed: int, threads: int) -> None:
        """Fit the hazards, where there is anything to draw.

        Args:
            x: features that hazards learn from, shape (n, f).
            lives: what was seen of the life left, shape (n,).
            seed: of LightGBM.
            threads: of it; 0 for all cores.
        """
        self._time, self._unseen = lives.time, np.flatnonzero(~lives.event)
        if len(self._unseen):
            self._hazards = Hazards(x, lives, seed, threads)
            self._survival = self._hazards.survival(x[self._unseen])

    def draw(self, seed: int) -> Floats:
        """Days left, shape (n,)."""
        rul = self._time.copy()
        if len(self._unseen):
            after, random = rul[self._unseen], np.random.default_rng(seed)
            rul[self._unseen] = self._hazards.draw(self._survival, after, random)
        return rul


def with_tried_age(x: Floats, names: list[str], lives: Lifetimes, life: Ints) -> Floats:
    """The features that hazards learn from: the age is missing where too few lives of known age were seen to fail.

    Data begin amid lives, whose age is unknown; the ones after their failures have an age, and run on at the end. With
    hardly a failure among these, hazards would take a known age itself for a reason not to fail.
    """
    if AGE not in names:
        return x
    column = names.index(AGE)
    if len(np.unique(life[lives.failed & ~np.isnan(x[:, column])])) >= MIN_AGED_FAILURES:
        return x
    x = x.copy()
    x[:, column] = np.nan
    return x
