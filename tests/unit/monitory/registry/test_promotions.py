"""What a rollback returns to, from the history alone."""

import pytest

from monitory.registry.promotions import PROMOTE, ROLLBACK, Promotion, previous_version

Step = tuple[str, str | None, str]


def history(*steps: Step) -> list[Promotion]:
    return [
        Promotion(number, action, version, replaced, "2026-11-20T00:00:00+00:00", "test", "")
        for number, (action, replaced, version) in enumerate(steps, 1)
    ]


def p(replaced: str | None, version: str) -> Step:
    return PROMOTE, replaced, version


def r(replaced: str | None, version: str) -> Step:
    return ROLLBACK, replaced, version


@pytest.mark.parametrize(
    ("steps", "before"),
    [
        ([], None),
        ([p(None, "A")], None),
        ([p(None, "A"), p("A", "B")], "A"),
        ([p("F", "A")], "F"),
        ([p(None, "A"), p("A", "B"), r("B", "A")], None),
        ([p(None, "A"), p("A", "B"), p("B", "C"), r("C", "B")], "A"),
        ([p(None, "A"), p("A", "B"), r("B", "A"), p("A", "C")], "A"),
        ([p(None, "A"), p("A", "B"), p("B", "A")], "B"),
        ([p(None, "A"), p("A", "B"), p("F", "C")], "F"),
        ([p(None, "A"), p("A", "B"), p("F", "C"), r("C", "F")], "B"),
        ([p(None, "A"), p("A", "B"), r("F", "B")], "A"),
        ([p(None, "A"), p("A", "B"), p("B", "B")], "A"),
        ([p(None, "A"), r("F", "Z")], "F"),
    ],
)
def test_a_rollback_returns_to_what_was_served_before(steps: list[Step], before: str | None) -> None:
    listed = history(*steps)
    assert previous_version(listed, listed[-1] if listed else None) == before


@pytest.mark.parametrize(
    ("steps", "last"), [([], None), ([p(None, "A")], "A"), ([p(None, "A"), p("A", "B"), r("B", "A")], "A")]
)
def test_from_a_stranger_or_from_nothing_it_returns_to_the_last_promotion(steps: list[Step], last: str | None) -> None:
    assert previous_version(history(*steps), None) == last
