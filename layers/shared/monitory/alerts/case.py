"""A case: what people have to do with about a machine, from its opening to its close."""

from datetime import datetime
from enum import StrEnum

import msgspec

from monitory.machine import Machine


class Cause(StrEnum):
    """Why a case is there."""

    WEAR = "wear"
    SILENCE = "silence"


class Status(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Outcome(StrEnum):
    """Why a case was closed."""

    MAINTENANCE = "maintenance"
    FAILURE = "failure"
    CLEARED = "cleared"
    FALSE_ALARM = "false_alarm"
    GONE = "gone"


class Change(StrEnum):
    """What a transition did to a case."""

    OPENED = "opened"
    REOPENED = "reopened"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the newest answer says of a machine.

    Attributes:
        rul_days: predicted.
        as_of: time of the newest reading, aware.
        expected_failure_at: aware; None where the RUL is the cap or more.
        driver: the sensor that takes the most days; empty without one.
        failure_mode: ahead or under way; empty if unknown.
    """

    rul_days: float
    as_of: datetime
    expected_failure_at: datetime | None = None
    driver: str = ""
    failure_mode: str = ""


class Case(msgspec.Struct, frozen=True, omit_defaults=True):
    """A case. The field names are the stored format.

    Attributes:
        id: unique, and the same however often an hour is scored.
        zone_id, equip_id: the machine.
        cause: wear, or silence.
        level: the highest so far, see `Rule`; 0 for silence.
        status: where it stands.
        opened_at: aware.
        raised_at, raised_hour: when it was opened or reopened last, and the machine's newest hour then.
        failed_hour: the machine's newest hour when it was first seen to fail; 0 if it has not.
        transitions: number of its transitions so far.
        facts: what the newest answer said while it was not closed.
        acknowledged_at, acknowledged_by: by whom: the id of an API key.
        planned_for: when work begins, aware.
        closed_at: aware.
        outcome: why it was closed.
    """

    id: str
    zone_id: str
    equip_id: str
    cause: Cause
    level: int
    status: Status
    opened_at: datetime
    raised_at: datetime
    raised_hour: int
    failed_hour: int = 0
    transitions: int = 0
    facts: Facts | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    planned_for: datetime | None = None
    closed_at: datetime | None = None
    outcome: Outcome | None = None

    @property
    def machine(self) -> Machine:
        """The machine."""
        return Machine(self.zone_id, self.equip_id)

    @property
    def is_closed(self) -> bool:
        """Whether nothing is left to do."""
        return self.status is Status.CLOSED

    @property
    def forewarning_hours(self) -> int | None:
        """From the case to the failure; 0 where the failure came first, None where there was none."""
        return self.failed_hour - self.raised_hour if self.failed_hour else None


class MachineAlerts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What alerts know of a machine. The field names are the stored format.

    Attributes:
        newest: its newest hour with a prediction, see `clock`; 0 before the first.
        since: the first hour of its life, as far as alerts know.
        failing: the newest hour in which it failed; 0 if it never did.
        wear: the case of this life.
        silence: the case of its silence, not closed.
        past: other cases that are closed, for some weeks.
    """

    newest: int = 0
    since: int = 0
    failing: int = 0
    wear: Case | None = None
    silence: Case | None = None
    past: tuple[Case, ...] = ()

    @property
    def cases(self) -> list[Case]:
        """All its cases."""
        return [case for case in (self.wear, self.silence, *self.past) if case]


class Transition(msgspec.Struct, frozen=True):
    """A change of a case, with the case after it. The field names are the stored format.

    Attributes:
        id: unique, and the same however often the transition is sent.
        change: what happened.
        at: when, aware.
        case: after it.
    """

    id: str
    change: Change
    at: datetime
    case: Case
