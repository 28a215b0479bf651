"""The failure mode that a machine is most likely to meet, of those that the factory's log names.

Multinomial logistic regression on how far each sensor has gone towards its alert limits (`vector.limit_shares`), learnt
from the days before failures: P(mode) = softmax(bias + weights · shares). It abstains below a certainty that training
chooses.
"""

from collections.abc import Mapping
from math import exp, isnan

import msgspec


class FailureMode(msgspec.Struct, frozen=True):
    """A mode: its name, empty for none yet or a rare one, and its coefficients, one weight a sensor."""

    name: str
    bias: float
    weights: tuple[float, ...]


class FailureModes(msgspec.Struct, frozen=True):
    """The modes that are told apart.

    Attributes:
        sensors: whose shares the weights are of.
        modes: at least two.
        certainty: the probability from which a mode is named, 0..1.
    """

    sensors: tuple[str, ...]
    modes: tuple[FailureMode, ...]
    certainty: float

    def __post_init__(self) -> None:
        """Refuse weights that don't fit.

        Raises:
            ValueError: fewer than two modes, or one with another number of weights than there are sensors.
        """
        if len(self.modes) < 2 or any(len(mode.weights) != len(self.sensors) for mode in self.modes):
            raise ValueError("failure modes need a weight a sensor, and there must be two at least")

    def likeliest(self, shares: Mapping[str, float]) -> str | None:
        """The mode that is certain enough; None where none is.

        Args:
            shares: of each sensor's way to its alert limit, -1 (the lower) to 1; NaN or absent counts as 0.
        """
        x = [0.0 if isnan(share := shares.get(sensor, 0.0)) else share for sensor in self.sensors]
        scores = [mode.bias + sum(w * v for w, v in zip(mode.weights, x, strict=True)) for mode in self.modes]
        best = max(scores)
        mode = self.modes[scores.index(best)]
        probability = 1 / sum(exp(score - best) for score in scores)
        return mode.name or None if probability >= self.certainty else None
