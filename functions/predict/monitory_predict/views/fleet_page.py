"""The fleet on one page: who is in it, the most urgent first. No I/O."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from monitory.alerts.rule import LIMITS_DAYS
from monitory.clock import HOURS_PER_DAY
from monitory.errors import UNDECODABLE
from monitory.machine import Machine
from monitory.scoring.answer import Interval, SensorShare
from monitory.scoring.fleet import FleetState, HourAnswer
from monitory.scoring.prediction import LATE
from monitory.scoring.stored_answer import StoredAnswer, shortening
from monitory.scoring.trends import Trends
from monitory_predict.views.fleet_view import FleetCounts, FleetMachine, FleetResponse, Level, State
from monitory_predict.views.trend_view import FLEET_HOURS, trend_view

MOST_DRIVERS = 2


class FleetQuery(NamedTuple):
    """Which machines are wanted, and how much of them; None takes all.

    Attributes:
        zone_id: of this zone.
        state: in this state.
        limit: so many on a page.
        offset: without so many before it.
        level: of this level.
        text: whose zone id or equip id contains this, whatever its case.
        with_trend: with the trend of each.
    """

    zone_id: str | None = None
    state: State | None = None
    limit: int = 50
    offset: int = 0
    level: Level | None = None
    text: str = ""
    with_trend: bool = False


class _Answer(StoredAnswer, frozen=True):
    """An answer whose state is one that the page knows."""

    state: State


class _Stored(msgspec.Struct):
    """What the page needs of a `MachineState`; decoding all of it takes twice as long."""

    hour: int = 0
    answer: _Answer | None = None
    recent: msgspec.Raw = msgspec.Raw(b"[]")
    problem: str = ""


class _Entry(NamedTuple):
    """A machine and its state at this moment."""

    name: str
    stored: _Stored
    state: State
    level: Level

    @property
    def answer(self) -> _Answer | None:
        """The stored answer, where there is a usable one."""
        return self.stored.answer

    @property
    def zone_id(self) -> str:
        """The machine's zone."""
        return self.name.partition("/")[0]

    @property
    def urgency(self) -> tuple[int, float, str]:
        """Smaller is more urgent."""
        if self.answer is None:
            return 2, 0.0, self.name
        return int(self.state == "silent"), self.answer.days, self.name


def limits_of(fleet: FleetState) -> list[float]:
    """The limits of the alerts by which a fleet state was made, descending; the default ones for an older state."""
    return list(fleet.limits_days or LIMITS_DAYS)


def fleet_page(
    fleet: FleetState,
    query: FleetQuery,
    now: datetime,
    max_age: timedelta,
    cap_days: float | None = None,
    trends: Trends | None = None,
) -> FleetResponse:
    """A page of the machines that match.

    Args:
        fleet: all machines.
        query: which of them.
        now: the present, aware.
        max_age: age of a newest reading beyond which a machine is silent.
        cap_days: of the served model, where there is one.
        trends: of all machines, where they are wanted.
    """
    limits = limits_of(fleet)
    entries = list(_entries(fleet, now, max_age, limits))
    candidates = list(_candidates(entries, query))
    matching = [one for one in candidates if query.state in (None, one.state) and query.level in (None, one.level)]
    matching.sort(key=lambda entry: entry.urgency)
    end = query.offset + query.limit
    return FleetResponse(
        scored_at=fleet.scored_at,
        total=len(matching),
        counts=FleetCounts.model_validate(Counter(entry.level for entry in candidates)),
        zones=sorted({entry.zone_id for entry in entries}),
        limits_days=limits,
        cap_days=cap_days,
        machines=[_machine(entry, trends) for entry in matching[query.offset : end]],
        next_offset=end if end < len(matching) else None,
    )


def _entries(fleet: FleetState, now: datetime, max_age: timedelta, limits: list[float]) -> Iterator[_Entry]:
    decoder = msgspec.json.Decoder(_Stored)
    for name, raw in fleet.machines.items():
        try:
            stored = decoder.decode(raw)
        except UNDECODABLE:
            unanswered = _without_answer(fleet, name)
            if unanswered is None:
                continue
            stored = unanswered
        state = _state(stored.answer, now, max_age)
        yield _Entry(name, stored, state, _level(stored.answer, state, limits))


def _without_answer(fleet: FleetState, name: str) -> _Stored | None:
    """A machine whose answer is of another version of this service; None where all of its state is damaged."""
    zone_id, _, equip_id = name.partition("/")
    try:
        state = fleet.machine(Machine(zone_id, equip_id))
    except UNDECODABLE:
        return None
    return _Stored(state.hour, problem=state.problem) if state else None


def _state(answer: _Answer | None, now: datetime, max_age: timedelta) -> State:
    if answer is None:
        return "unscored"
    age = now - answer.as_of
    if age > max_age:
        return "silent"
    return "stale" if age > LATE and answer.state == "ok" else answer.state


def _level(answer: _Answer | None, state: State, limits: list[float]) -> Level:
    if answer is None or state == "silent":
        return "none"
    if state == "failing":
        return "failing"
    days = answer.days
    if days <= limits[0]:
        return "act" if days <= limits[-1] else "plan"
    return "watch" if answer.interval and answer.interval.low <= limits[0] else "fine"


def _candidates(entries: Iterable[_Entry], query: FleetQuery) -> Iterator[_Entry]:
    text = _folded(query.text)
    for entry in entries:
        if query.zone_id not in (None, entry.zone_id):
            continue
        if not text or any(text in _folded(one) for one in entry.name.split("/", 1)):
            yield entry


def _folded(text: str) -> str:
    """A text without case, its accents and syllables composed as they are in ids."""
    return unicodedata.normalize("NFC", text).casefold()


def _machine(entry: _Entry, trends: Trends | None) -> FleetMachine:
    zone_id, _, equip_id = entry.name.partition("/")
    answer = entry.answer
    newest = entry.stored.hour
    trend = None
    if trends is not None:
        trend = trend_view(trends.points(entry.name, newest - FLEET_HOURS + 1))
    if answer is None:
        return FleetMachine(
            zone_id=zone_id,
            equip_id=equip_id,
            state=entry.state,
            level=entry.level,
            problem=entry.stored.problem,
            trend=trend,
        )
    drivers = shortening(answer.drivers)
    return FleetMachine(
        zone_id=zone_id,
        equip_id=equip_id,
        state=entry.state,
        level=entry.level,
        rul_days=answer.days,
        change_24h=_change(entry.stored, answer.days),
        interval=Interval.model_validate(answer.interval, from_attributes=True) if answer.interval else None,
        expected_failure_at=answer.expected_failure_at,
        replace_by=answer.replace_by,
        replace_saving=answer.replace_saving,
        as_of=answer.as_of,
        driver=drivers[0].sensor if drivers else None,
        drivers=[SensorShare(sensor=one.sensor, days=one.days) for one in drivers[:MOST_DRIVERS]],
        failure_mode=answer.failure_mode,
        warnings=answer.warnings,
        version=answer.model.version,
        problem=entry.stored.problem,
        trend=trend,
    )


def _change(stored: _Stored, days: float) -> float | None:
    """The predicted days less those of 24 hours before the newest hour; None where that hour was not scored."""
    try:
        recent = msgspec.json.decode(stored.recent, type=tuple[HourAnswer, ...])
    except UNDECODABLE:  # of another version of this service
        return None
    before = next((one.days for one in recent if one.hour == stored.hour - HOURS_PER_DAY), None)
    return None if before is None else round(days - before, 4)
