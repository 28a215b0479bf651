"""The fleet state: the newest answer about every machine, and which objects it rests on.

    state/fleet/<lake>.json.gz

`<lake>` is the lake's fingerprint: stacks that share a bucket, and settings that change what a lake is, never mix
machines. The score function writes it last, on condition that nobody else has meanwhile; predict reads it. What is in
it can be computed again from the lake, so a damaged state is replaced.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime

import msgspec

from monitory import clock
from monitory.errors import UNDECODABLE
from monitory.machine import Machine
from monitory.scoring.trends import TrendPoint, thinned
from monitory.storage.state_object import StateObject

FOLDER = "state/fleet/"

LOGGED_HOURS = 48
"""For how long a late hour gets its line in the prediction log."""

RECENT_HOURS = 25
"""For how many hours the answers are in the state: the newest, and the day before that alerts and changes look at."""

TREND_HOURS = 24
"""For how many hours the points of the trend are in the state; see `trends`."""

KEEP_HOURS = 30 * 24
"""How long a machine that fell silent stays in the state."""

NO_ANSWER = msgspec.Raw(b"null")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class HourAnswer(msgspec.Struct, frozen=True, array_like=True):
    """What was answered about an hour: the hour (see `clock`), the predicted days, the state. Stored as a list."""

    hour: int
    days: float
    state: str


class MachineState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is stored of a machine. The field names are the stored format.

    Attributes:
        scored_at: when it was scored last.
        days: by date, the fingerprint of the objects that were read.
        hour: the newest hour, see `clock`.
        newest: keys of the objects that hold it.
        logged: the newest hours that need no line in the prediction log any more, ascending: they have one, or there
            was no model for them.
        basis: the model and the failures that the answer rests on.
        model: the ETag of that model.
        log: the ETag of the log of failures and maintenance that it rests on; empty without one.
        answer: a `PredictResponse` as JSON, as if its newest reading were of this moment; null without one.
        recent: the answers about the last `RECENT_HOURS`, ascending, as far as they were scored.
        points: of its trend, those of the last `TREND_HOURS`, ascending.
        problem: why it could not be scored the last time; empty where it could.
    """

    scored_at: datetime = _EPOCH
    days: dict[date, str] = {}
    hour: int = 0
    newest: tuple[str, ...] = ()
    logged: tuple[int, ...] = ()
    basis: str = ""
    model: str = ""
    log: str = ""
    answer: msgspec.Raw = NO_ANSWER
    recent: tuple[HourAnswer, ...] = ()
    points: tuple[TrendPoint, ...] = ()
    problem: str = ""

    @property
    def has_answer(self) -> bool:
        """Whether there is an answer."""
        return bytes(self.answer) != bytes(NO_ANSWER)


class FleetState(msgspec.Struct, frozen=True):
    """All machines. The field names are the stored format.

    Attributes:
        since: the first hour whose lines the prediction log has; what was before it is not logged afterwards.
        scored_at: when the newest run began; aware.
        days: by date, when all objects in its folder had been read.
        machines: a `MachineState` each, by `<zoneId>/<equipId>`; decoded one by one, for predict needs one of them.
        limits_days: of the alerts at that time, descending; empty in the state of an older version.
    """

    since: int = 0
    scored_at: datetime = _EPOCH
    days: dict[date, datetime] = {}
    machines: dict[str, msgspec.Raw] = {}
    limits_days: tuple[float, ...] = ()

    def machine(self, machine: Machine) -> MachineState | None:
        """The state of a machine; None where it is not among them.

        Raises:
            MsgspecError: it is damaged.
        """
        raw = self.machines.get(str(machine))
        return None if raw is None else msgspec.json.decode(raw, type=MachineState)

    def all_machines(self) -> dict[str, MachineState]:
        """The state of every machine, without damaged ones."""
        states = {}
        for name, raw in self.machines.items():
            try:
                states[name] = msgspec.json.decode(raw, type=MachineState)
            except UNDECODABLE:
                continue
        return states


def state_object(lake: str) -> StateObject[FleetState]:
    """The object with the state of a lake, given by its fingerprint."""
    return StateObject(f"{FOLDER}{lake}.json.gz", FleetState)


def merge(
    stored: FleetState,
    states: Mapping[str, MachineState],
    read_days: Iterable[date],
    now: datetime,
    hour: int,
    limits_days: tuple[float, ...] = (),
) -> FleetState:
    """A stored state with what a run made of it.

    Args:
        stored: the state; another run may have written it since this one began.
        states: of the machines that this run looked at, by name.
        read_days: dates of which this run has read all objects.
        now: when it began, aware.
        hour: the same as an hour, see `clock`.
        limits_days: of its alerts, descending.
    """
    machines = dict(stored.machines)
    others = stored.all_machines()
    for name, ours in states.items():
        theirs = others.get(name, MachineState())
        newer = theirs if theirs.scored_at > ours.scored_at else ours
        logged = sorted({*theirs.logged, *ours.logged})
        first = logged[-1] - LOGGED_HOURS if logged else 0
        older = ours if newer is theirs else theirs
        newer = msgspec.structs.replace(
            newer,
            logged=tuple(number for number in logged if number > first),
            recent=recent_hours((*older.recent, *newer.recent)),
            points=recent_points((*older.points, *newer.points)),
        )
        machines[name] = msgspec.Raw(msgspec.json.encode(newer))
        others[name] = newer
    gone = {name for name, state in others.items() if hour - _last_seen(state) > KEEP_HOURS}
    days = stored.days | dict.fromkeys(read_days, now)
    newest = sorted(days)[-KEEP_HOURS // 24 :]
    return FleetState(
        stored.since,
        max(now, stored.scored_at),
        {day: days[day] for day in newest},
        {name: machines[name] for name in sorted(machines) if name not in gone},
        limits_days,
    )


def _last_seen(state: MachineState) -> int:
    """A machine's newest hour; where none of its objects is usable, the hour in which it was looked at last."""
    return state.hour or clock.hour_of(state.scored_at.astimezone(clock.zone()))


def recent_hours(answers: Iterable[HourAnswer]) -> tuple[HourAnswer, ...]:
    """The last `RECENT_HOURS` of some answers, ascending; of two about an hour the later one in order."""
    by_hour = {answer.hour: answer for answer in answers}
    first = max(by_hour, default=0) - RECENT_HOURS
    return tuple(by_hour[hour] for hour in sorted(by_hour) if hour > first)


def recent_points(points: Iterable[TrendPoint]) -> tuple[TrendPoint, ...]:
    """One point for each six hours of the last `TREND_HOURS` of some points, ascending."""
    series = thinned(points)
    return tuple(point for point in series if point.hour > series[-1].hour - TREND_HOURS)
