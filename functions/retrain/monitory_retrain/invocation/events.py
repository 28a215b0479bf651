"""Retrain events -> requests; an impossible request is refused with the reason.

{"detail-type": "Scheduled Event", "source": "aws.events", "id": ..., "time": ...}
                                                                 the TRAINING_DAYS KST days before its time
{"month": "2025-06", "sample": 500}                              a month, or `sample` objects spread over it
{"start": "2025-06-01", "end": "2025-06-21"}                     a range of days, both included
    with "promote": "auto" | "never", "refresh": true | false | "2026-11-25T15:00:00Z", "by": "...", "reason": "..."
{"action": "promote", "version": "2025/06/21/150102", "reason": "..."}
{"action": "rollback", "reason": "..."}
{"action": "check"}                                              what the lake holds; changes nothing
{"action": "plan", "start": ..., "end": ...}                     what a training on these days has to read, as batches
{"action": "plan", "event": {an event}, "after": "2025-06-10"}   the same of another event, of its days after that one
{"action": "read", "batch": {a line of a plan's manifest}}       a batch
{}                                                               the TRAINING_DAYS KST days before now

Envelopes of other services are removed first, see envelope.py.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from monitory import clock
from monitory.errors import InvalidEvent, UnknownVersion
from monitory.registry.version import Version
from monitory_retrain.ingest.backfill.batches import Batch
from monitory_retrain.invocation import envelope
from monitory_retrain.invocation.day_range import EARLIEST, day_range
from monitory_retrain.invocation.envelope import Envelope

T = TypeVar("T")


class _Fields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of a request."""

    action: Literal["train", "promote", "rollback", "check", "plan", "read"] = "train"
    month: str | None = None
    start: date | None = None
    end: date | None = None
    sample: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    promote: Literal["auto", "never"] = "auto"
    refresh: bool | datetime = False
    version: str | None = None
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    by: Annotated[str, msgspec.Meta(max_length=200)] = ""
    after: date | None = None
    batch: Batch | None = None


class _Planned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of a request to plan what another event will read."""

    action: Literal["plan"]
    event: Any
    after: date | None = None


_DAYS = ("month", "start", "end", "sample")
_MISPLACED = {
    "train": ("version", "after", "batch"),
    "plan": ("version", "batch"),
    "read": (*_DAYS, "version", "after"),
    "promote": (*_DAYS, "after", "batch"),
    "rollback": (*_DAYS, "version", "after", "batch"),
    "check": (*_DAYS, "version", "after", "batch"),
}
"""Keys that mean nothing beside an action."""

_OLDER_KEYS = {
    "target_month": 'the key is `month`, such as "2025-06"',
    "start_day": 'the key is `start`, a date such as "2025-06-01", with `end`',
    "end_day": 'the key is `end`, a date such as "2025-06-21", with `start`',
    "sample_n": "the key is `sample`, a number of objects such as 500",
}
"""Keys of the previous trainer's command line."""


class _Scheduled(msgspec.Struct, frozen=True):
    """The keys of EventBridge's scheduled event that are used."""

    id: str
    time: datetime


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """Train on days of the lake.

    Attributes:
        first, last: KST dates, both included.
        sample: number of objects to read, spread evenly; None for all.
        promote: whether a better model may be promoted.
        refresh: cached rows older than this time, aware, are rebuilt from their objects; None keeps all.
        by: who requests it.
        event_id: idempotency key: the id of a schedule's or bus's event or a queue's message; None by hand.
        history: cached rows of days before the range teach, too. Not where the event says which days are meant.
    """

    first: date
    last: date
    sample: int | None = None
    promote: bool = True
    refresh: datetime | None = None
    by: str = "event"
    event_id: str | None = None
    history: bool = False

    @property
    def days(self) -> list[date]:
        """The dates, oldest first."""
        return clock.days_between(self.first, self.last)


@dataclass(frozen=True, slots=True)
class PromotionRequest:
    """Serve a stored version; `event_id` as in `TrainingRequest`."""

    version: str
    by: str
    reason: str
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class RollbackRequest:
    """Serve what was served before the current version; `event_id` as in `TrainingRequest`."""

    by: str
    reason: str
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """Say what the lake holds, and change nothing."""


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """Say what a training on days would have to read, as batches.

    Attributes:
        training: the training; None for an event that asks for no days.
        after: days up to this one are left out.
    """

    training: TrainingRequest | None
    after: date | None = None


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Read a batch of a plan."""

    batch: Batch


Request = TrainingRequest | PromotionRequest | RollbackRequest | CheckRequest | PlanRequest | ReadRequest

JobResult = dict[str, Any]
"""What a request comes to, in JSON types."""


def parse(event: object, now: datetime, training_days: int) -> Request:
    """The request in an event.

    Args:
        event: as Lambda passes it.
        now: the current time, aware; ranges end before its date.
        training_days: length of the range where the event names none.

    Raises:
        InvalidEvent: an unknown key, a wrong type, no valid date, a reversed, future or too long range, contradicting
            keys, or no valid version.
    """
    inner = envelope.unwrap(event)
    if inner.scheduled:
        return _scheduled(inner, now, training_days)
    if inner.request.get("action") == "plan" and "event" in inner.request:
        return _plan_of_event(_convert(inner.request, _Planned), now, training_days)
    _refuse_unknown_keys(inner.request)
    fields = _convert(inner.request, _Fields)
    by = fields.by or inner.source or "event"
    _refuse_misplaced(fields)
    if fields.action == "promote":
        if not fields.version:
            raise InvalidEvent("version: which version is to be promoted?")
        try:
            return PromotionRequest(str(Version.parse(fields.version)), by, fields.reason, inner.delivery)
        except UnknownVersion as exc:
            raise InvalidEvent(f"version: {exc}") from exc
    if fields.action == "rollback":
        return RollbackRequest(by, fields.reason, inner.delivery)
    if fields.action == "check":
        return CheckRequest()
    if fields.action == "read":
        if fields.batch is None:
            raise InvalidEvent("batch: which batch is to be read? Send a line of a plan's manifest")
        return ReadRequest(fields.batch)
    today = now.astimezone(clock.zone()).date()
    first, last = day_range(fields.month, fields.start, fields.end, today, training_days)
    training = TrainingRequest(
        first,
        last,
        fields.sample,
        fields.promote == "auto",
        _since(fields.refresh, now),
        by,
        inner.delivery,
        history=not (fields.month or fields.start or fields.sample),
    )
    return PlanRequest(training, fields.after) if fields.action == "plan" else training


def _plan_of_event(planned: _Planned, now: datetime, training_days: int) -> PlanRequest:
    """The plan of what another event, in whatever envelope, will read."""
    inner = envelope.unwrap(planned.event).request
    if inner.get("action") == "plan" and "event" in inner:
        raise InvalidEvent("event: it is a plan of another event itself: send that one")
    request = parse(planned.event, now, training_days)
    training = request.training if isinstance(request, PlanRequest) else request
    return PlanRequest(training if isinstance(training, TrainingRequest) else None, planned.after)


def _scheduled(inner: Envelope, now: datetime, training_days: int) -> TrainingRequest:
    """The nightly training of a schedule's own event."""
    scheduled = _convert(inner.request, _Scheduled)
    if scheduled.time.tzinfo is None:
        raise InvalidEvent("time: a scheduled event's time needs a time zone")
    try:
        end = scheduled.time.astimezone(clock.zone()).date()
    except OverflowError as exc:  # within a day of the first or the last year that there is
        raise InvalidEvent(f"time: {scheduled.time.isoformat()} is not a time for which there is data") from exc
    today = now.astimezone(clock.zone()).date()
    if not EARLIEST + timedelta(days=training_days) <= end <= today + timedelta(days=1):
        raise InvalidEvent(f"time: {scheduled.time.isoformat()} is not a time for which there is data")
    first, last = end - timedelta(days=training_days), end - timedelta(days=1)
    return TrainingRequest(first, last, by="schedule", event_id=scheduled.id, history=True)


def _refuse_unknown_keys(request: Mapping[str, object]) -> None:
    hints = [_hint(key) for key in request if key not in _Fields.__struct_fields__]
    if hints:
        raise InvalidEvent("; ".join(hints[:8]))


def _hint(key: str) -> str:
    """What to write instead of an unknown key."""
    if key in _OLDER_KEYS:
        return f"{key}: {_OLDER_KEYS[key]}"
    keys = _Fields.__struct_fields__
    near = difflib.get_close_matches(key[:40].lower(), keys, 1)
    return f"{key[:40]}: there is no such key, " + (
        f"is it `{near[0]}`?" if near else f"the keys are {', '.join(keys)}"
    )


def _since(refresh: bool | datetime, now: datetime) -> datetime | None:
    """The time before which cached rows are stale."""
    if isinstance(refresh, bool):
        return now if refresh else None
    if refresh.tzinfo is None or refresh > now:
        raise InvalidEvent(f"refresh: {refresh.isoformat()} is no time in the past with a time zone")
    return refresh


def _convert(event: Mapping[str, object], kind: type[T]) -> T:
    try:
        return msgspec.convert(event, kind, strict=True)
    except (msgspec.ValidationError, RecursionError) as exc:
        raise InvalidEvent(f"event: {exc}") from exc


def _refuse_misplaced(fields: _Fields) -> None:
    for name in _MISPLACED[fields.action]:
        if getattr(fields, name) is not None:
            raise InvalidEvent(f"{name} has no place beside the action {fields.action!r}")
