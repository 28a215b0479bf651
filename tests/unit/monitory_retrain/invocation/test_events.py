"""Retrain events: what they ask for, and what is impossible."""

from datetime import UTC, date, datetime

import pytest

from monitory.errors import InvalidEvent
from monitory_retrain.ingest.backfill.batches import Batch
from monitory_retrain.invocation.events import (
    CheckRequest,
    PlanRequest,
    PromotionRequest,
    ReadRequest,
    RollbackRequest,
    TrainingRequest,
    parse,
)

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)  # noon in Seoul


def test_a_scheduled_event_is_the_days_before_its_own_time() -> None:
    event = {"id": "abc", "detail-type": "Scheduled Event", "source": "aws.events", "time": "2026-11-20T15:00:00Z"}
    assert parse(event, NOW, 21) == TrainingRequest(
        date(2026, 10, 31), date(2026, 11, 20), by="schedule", event_id="abc", history=True
    )


@pytest.mark.parametrize(
    ("event", "first", "last"),
    [
        ({"month": "2024-02"}, date(2024, 2, 1), date(2024, 2, 29)),
        ({"month": "2026-11"}, date(2026, 11, 1), date(2026, 11, 22)),
        ({"start": "2025-12-31", "end": "2026-01-01"}, date(2025, 12, 31), date(2026, 1, 1)),
        ({}, date(2026, 11, 2), date(2026, 11, 22)),
    ],
    ids=["leap month", "month that goes on", "new year", "default"],
)
def test_days_of_events_by_hand(event: dict[str, str], first: date, last: date) -> None:
    request = parse(event, NOW, 21)
    assert isinstance(request, TrainingRequest)
    assert (request.first, request.last, request.promote, request.sample) == (first, last, True, None)


@pytest.mark.parametrize(
    ("event", "history"),
    [
        ({}, True),
        ({"promote": "never"}, True),
        ({"month": "2026-10"}, False),
        ({"start": "2026-10-01", "end": "2026-10-21"}, False),
        ({"sample": 500}, False),
    ],
)
def test_older_days_teach_only_where_the_event_does_not_choose(event: dict[str, object], history: bool) -> None:
    request = parse(event, NOW, 21)
    assert isinstance(request, TrainingRequest)
    assert request.history is history


def test_options_of_a_training() -> None:
    request = parse({"month": "2025-06", "sample": 500, "promote": "never", "refresh": True, "by": "me"}, NOW, 21)
    assert isinstance(request, TrainingRequest)
    assert (request.sample, request.promote, request.refresh, request.by) == (500, False, NOW, "me")


def test_promotions_and_rollbacks() -> None:
    promote = {"action": "promote", "version": "2025-06-21-150102", "reason": "why", "by": "me"}
    assert parse(promote, NOW, 21) == PromotionRequest("2025/06/21/150102", "me", "why")
    assert parse({"action": "check"}, NOW, 21) == CheckRequest()
    assert parse({"action": "rollback", "reason": "why"}, NOW, 21) == RollbackRequest("event", "why")


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ([], "JSON object"),
        ({"months": "2025-06"}, "months"),
        ({"month": "2025-13"}, "does not exist"),
        ({"month": "2027-01"}, "no finished day"),
        ({"month": 202506}, "month"),
        ({"month": "2025-06", "start": "2025-06-01", "end": "2025-06-02"}, "not both"),
        ({"start": "2025-06-01"}, "belong together"),
        ({"start": "2025-06-02", "end": "2025-06-01"}, "after end"),
        ({"start": "2025-02-30", "end": "2025-03-01"}, "start"),
        ({"start": "2016-01-01", "end": "2026-01-01"}, "more than 400 days"),
        ({"start": "2026-11-20", "end": "2026-12-20"}, "today"),
        ({"month": "2025-06", "sample": -1}, "sample"),
        ({"month": "2025-06", "sample": 1e300}, "sample"),
        ({"month": "2025-06", "promote": "maybe"}, "promote"),
        ({"action": "promote"}, "which version"),
        ({"action": "promote", "version": "../../latest"}, "version"),
        ({"action": "rollback", "month": "2025-06"}, "no place"),
        ({"action": "check", "month": "2025-06"}, "no place"),
        ({"action": "delete"}, "action"),
        ({"detail-type": "Scheduled Event", "id": "x", "time": "1969-01-01T00:00:00Z"}, "time"),
        ({"detail-type": "Scheduled Event", "id": "x"}, "time"),
    ],
)
def test_what_cannot_be_is_named(event: object, said: str) -> None:
    with pytest.raises(InvalidEvent, match=said):
        parse(event, NOW, 21)


@pytest.mark.parametrize(
    ("event", "since"),
    [
        ({}, None),
        ({"refresh": False}, None),
        ({"refresh": True}, NOW),
        ({"refresh": "2026-11-01T00:00:04.123Z"}, datetime(2026, 11, 1, 0, 0, 4, 123000, UTC)),
    ],
)
def test_a_refresh_may_be_of_what_was_kept_before_a_time(event: dict[str, object], since: datetime | None) -> None:
    request = parse(event, NOW, 21)
    assert isinstance(request, TrainingRequest)
    assert request.refresh == since


@pytest.mark.parametrize("refresh", ["2026-11-01T00:00:00", "2999-01-01T00:00:00Z", "soon", 5, None])
def test_a_refresh_since_no_time_is_refused(refresh: object) -> None:
    with pytest.raises(InvalidEvent, match="refresh"):
        parse({"refresh": refresh}, NOW, 21)


@pytest.mark.parametrize(
    "event",
    [
        {"month": "2026-10"},
        {"start": "2026-10-01", "end": "2026-10-21", "refresh": True},
        {"sample": 500},
        {},
        {"id": "abc", "detail-type": "Scheduled Event", "source": "aws.events", "time": "2026-11-20T15:00:00Z"},
        {"detail-type": "retrain", "source": "factory.ops", "id": "abc", "detail": {"month": "2026-10"}},
        '{"month": "2026-10"}',
    ],
)
def test_a_plan_is_of_what_another_event_asks_for(event: object) -> None:
    planned = parse({"action": "plan", "event": event, "after": None}, NOW, 21)
    assert planned == PlanRequest(parse(event, NOW, 21))  # type: ignore[arg-type]
    later = parse({"action": "plan", "event": event, "after": "2026-10-10"}, NOW, 21)
    assert isinstance(later, PlanRequest)
    assert later.after == date(2026, 10, 10)


def test_a_plan_by_hand_has_the_keys_of_a_training() -> None:
    training = parse({"month": "2026-10"}, NOW, 21)
    assert isinstance(training, TrainingRequest)
    assert parse({"action": "plan", "month": "2026-10"}, NOW, 21) == PlanRequest(training)
    by_hand = {"action": "plan", "month": "2026-10", "after": "2026-10-10"}
    assert parse(by_hand, NOW, 21) == PlanRequest(training, date(2026, 10, 10))
    assert parse({"action": "plan", "event": by_hand}, NOW, 21) == PlanRequest(training)


@pytest.mark.parametrize(
    "event", [{"action": "rollback"}, {"action": "check"}, {"action": "promote", "version": "2025/06/21/150102"}]
)
def test_an_event_that_asks_for_no_days_has_an_empty_plan(event: dict[str, str]) -> None:
    assert parse({"action": "plan", "event": event}, NOW, 21) == PlanRequest(None)


def test_a_batch_is_a_line_of_a_manifest() -> None:
    line = {"day": "2026-11-20", "machines": [["Z", "E"]], "objects": 24, "bytes": 1000}
    assert parse({"action": "read", "batch": line}, NOW, 21) == ReadRequest(
        Batch(date(2026, 11, 20), (("Z", "E"),), 24, 1000)
    )


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"action": "plan", "event": {"month": "2026-13"}}, "month"),
        ({"action": "plan", "event": {"action": "plan", "event": {}}}, "send that one"),
        ({"action": "plan", "event": {}, "month": "2026-10"}, "month"),
        ({"action": "plan", "event": 7}, "JSON object"),
        ({"action": "plan", "month": "2026-10", "version": "2025/06/21/150102"}, "version has no place"),
        ({"month": "2026-10", "after": "2026-10-10"}, "after has no place"),
        ({"action": "rollback", "batch": {"day": "2026-11-20", "machines": [["Z", "E"]]}}, "batch has no place"),
        ({"action": "read"}, "line of a plan's manifest"),
        ({"action": "read", "batch": {"day": "2026-11-20", "machines": [["Z", "../E"]]}}, "batch.machines"),
        ({"action": "read", "batch": {"day": "2026-11-20", "machines": [["Z", "E"]]}, "month": "2026-10"}, "month"),
    ],
)
def test_an_impossible_plan_or_batch_says_why(event: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidEvent, match=reason):
        parse(event, NOW, 21)
