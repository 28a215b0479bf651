"""Which failure mode lies ahead, and when nobody can tell."""

import math

import pytest

from monitory.model.failure_modes import FailureMode, FailureModes

MODES = FailureModes(
    ("temperature", "vibration"),
    (
        FailureMode("", 0.5, (0.0, 0.0)),
        FailureMode("bearing", 0.0, (0.0, 8.0)),
        FailureMode("cooling", 0.0, (8.0, 0.0)),
    ),
    certainty=0.7,
)


@pytest.mark.parametrize(
    ("shares", "mode"),
    [
        ({"temperature": 0.0, "vibration": 0.9}, "bearing"),
        ({"temperature": 0.9, "vibration": 0.1}, "cooling"),
        ({"temperature": 0.5, "vibration": 0.5}, None),  # either
        ({"temperature": 0.0, "vibration": 0.0}, None),
        ({"temperature": -0.9, "vibration": -0.9}, None),  # a rare one
        ({"temperature": math.nan, "vibration": 0.9}, "bearing"),
        ({"vibration": 0.9}, "bearing"),
        ({}, None),
        ({"temperature": 1e300, "vibration": -1e300}, "cooling"),
    ],
)
def test_a_mode_is_named_where_it_is_certain(shares: dict[str, float], mode: str | None) -> None:
    assert MODES.likeliest(shares) == mode


@pytest.mark.parametrize("modes", [(), MODES.modes[:1], (FailureMode("a", 0.0, (1.0,)), FailureMode("b", 0.0, (1.0,)))])
def test_modes_that_do_not_fit_are_refused(modes: tuple[FailureMode, ...]) -> None:
    with pytest.raises(ValueError, match="a weight a sensor"):
        FailureModes(("temperature", "vibration"), modes, 0.7)
