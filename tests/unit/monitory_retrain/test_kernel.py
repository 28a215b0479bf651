"""The vectorised rolling kernel against its definition."""

from hypothesis import given
from hypothesis import strategies as st

from monitory.rows import rolling_deviations
from monitory_retrain import kernel

READINGS = st.lists(st.floats(-1e100, 1e100), min_size=5, max_size=80)
LIKE_A_SENSOR = st.lists(st.floats(59.0, 81.0) | st.just(70.0) | st.floats(0.0, 1e6), min_size=5, max_size=200)


@given(READINGS | LIKE_A_SENSOR)
def test_every_deviation_has_the_bits_of_the_definition(values: list[float]) -> None:
    mean = sum(values) / len(values)
    assert kernel.rolling_deviations(values, mean) == rolling_deviations(values, mean)


def test_flat_readings_deviate_by_nothing() -> None:
    assert kernel.rolling_deviations([70.5] * 9, 70.5) == [0.0] * 5


def test_a_sign_of_zero_does_not_differ() -> None:
    made = kernel.rolling_deviations([-0.0] * 6, -0.0)
    assert [str(one) for one in made] == [str(one) for one in rolling_deviations([-0.0] * 6, -0.0)]
