"""What others see of a case and of a transition: the answer of the API, and the detail of an event."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from monitory.alerts.case import Case, Cause, Change, Outcome, Status, Transition

SCHEMA: Literal[1] = 1
"""Version of the event's detail: raised where a field changes its meaning or goes; fields may be added."""


class CaseView(BaseModel):
    """A case. Times are UTC."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    id: str
    zone_id: Annotated[str, Field(alias="zoneId")]
    equip_id: Annotated[str, Field(alias="equipId")]
    cause: Cause
    level: Annotated[int, Field(description="the highest so far: 1, 2, or 3 for a failing machine; 0 for silence")]
    status: Status
    opened_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: Annotated[str | None, Field(description="id of the API key")] = None
    planned_for: Annotated[datetime | None, Field(description="when work is to begin")] = None
    closed_at: datetime | None = None
    outcome: Annotated[Outcome | None, Field(description="why it was closed")] = None
    rul_days: Annotated[float | None, Field(description="of the newest answer before it was closed")] = None
    as_of: Annotated[datetime | None, Field(description="time of the newest reading then")] = None
    expected_failure_at: datetime | None = None
    driver: Annotated[str | None, Field(description="the sensor that takes the most days")] = None
    failure_mode: str | None = None


class TransitionView(BaseModel):
    """The detail of an event about a case."""

    model_config = ConfigDict(serialize_by_alias=True)

    version: Annotated[Literal[1], Field(description="of this schema")] = SCHEMA
    id: Annotated[str, Field(description="unique; the same if the event is delivered again")]
    transition: Change
    at: datetime
    text: Annotated[str, Field(description="the same in a sentence, in the language of the settings")]
    case: CaseView


def case_view(case: Case) -> CaseView:
    """A case as others see it."""
    facts = case.facts
    return CaseView(
        id=case.id,
        zone_id=case.zone_id,
        equip_id=case.equip_id,
        cause=case.cause,
        level=case.level,
        status=case.status,
        opened_at=case.opened_at.astimezone(UTC),
        acknowledged_at=_utc(case.acknowledged_at),
        acknowledged_by=case.acknowledged_by or None,
        planned_for=_utc(case.planned_for),
        closed_at=_utc(case.closed_at),
        outcome=case.outcome,
        rul_days=facts.rul_days if facts else None,
        as_of=_utc(facts.as_of) if facts else None,
        expected_failure_at=_utc(facts.expected_failure_at) if facts else None,
        driver=facts.driver or None if facts else None,
        failure_mode=facts.failure_mode or None if facts else None,
    )


def transition_view(transition: Transition, text: str) -> TransitionView:
    """A transition as others see it."""
    return TransitionView(
        id=transition.id,
        transition=transition.change,
        at=transition.at.astimezone(UTC),
        text=text,
        case=case_view(transition.case),
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
