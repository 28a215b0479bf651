"""The kernel for whole arrays against its definition."""

from hypothesis import given
from hypothesis import strategies as st

from monitory.readings import kernels as definition
from monitory_retrain.ingest import kernels

READINGS = st.lists(st.floats(-1e100, 1e100), min_size=1, max_size=80)
LIKE_A_SENSOR = st.lists(st.floats(59.0, 81.0) | st.just(70.0) | st.floats(0.0, 1e6), min_size=1, max_size=200)
LIMITS = st.sampled_from([(60.0, 80.0), (70.0, 70.0), (-1e101, 1e101), (-1.0, 0.0)])


@given(READINGS | LIKE_A_SENSOR, LIMITS)
def test_every_figure_has_the_bits_of_the_definition(values: list[float], limits: tuple[float, float]) -> None:
    mean = sum(values) / len(values)
    assert repr(kernels.reading_statistics(values, mean, *limits)) == repr(
        definition.reading_statistics(values, mean, *limits)
    )


def test_flat_readings_deviate_by_nothing() -> None:
    assert kernels.reading_statistics([70.5] * 9, 70.5, 60.0, 80.0) == (70.5, 70.5, 0, [0.0] * 5)


def test_a_sign_of_zero_does_not_differ() -> None:
    made = kernels.reading_statistics([-0.0] * 6, -0.0, -1.0, 1.0)
    assert repr(made) == repr(definition.reading_statistics([-0.0] * 6, -0.0, -1.0, 1.0))


def test_readings_at_a_limit_are_not_beyond_it() -> None:
    values = [59.0, 60.0, 80.0, 81.0, 82.0]
    assert kernels.reading_statistics(values, 72.4, 60.0, 80.0).outside == 3
    assert definition.reading_statistics(values, 72.4, 60.0, 80.0).outside == 3


@given(st.lists(st.sampled_from([b"\n", b"{}", b"\r\n", b" "])), st.integers(0, 5))
def test_newlines_are_counted_up_to_the_end(parts: list[bytes], short: int) -> None:
    piece = b"".join(parts)
    end = max(len(piece) - short, 0)
    assert kernels.newlines(piece, end) == definition.newlines(piece, end) == piece[:end].count(b"\n")
