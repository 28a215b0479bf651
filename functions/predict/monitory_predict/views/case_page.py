"""Cases on one page: what people have to do, the most urgent first. No I/O."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from monitory.alerts import progress
from monitory.alerts.case import Case, MachineAlerts, Status
from monitory.alerts.rule import Rule
from monitory.alerts.store import AlertState
from monitory.alerts.view import CaseView, case_view
from monitory.logbook.entry import LogEntry
from monitory.machine import Machine

_EXAMPLE: JsonDict = {
    "status": "ok",
    "total": 3,
    "cases": [
        {
            "id": "ZONE-001/EQUIP-001/wear/498716",
            "zoneId": "ZONE-001",
            "equipId": "EQUIP-001",
            "cause": "wear",
            "level": 2,
            "status": "acknowledged",
            "opened_at": "2026-11-19T02:10:07Z",
            "acknowledged_at": "2026-11-19T04:32:51Z",
            "acknowledged_by": "b1c2d3e4f5",
            "planned_for": "2026-11-21T00:00:00Z",
            "rul_days": 2.81,
            "as_of": "2026-11-20T11:59:57.613655Z",
            "expected_failure_at": "2026-11-23T07:26:21.613655Z",
            "driver": "vibration",
        }
    ],
    "next_offset": 1,
}


class CasesResponse(BaseModel):
    """A page of cases: failing machines, then by level and RUL, silent machines behind them."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    status: Literal["ok"] = "ok"
    total: Annotated[int, Field(description="cases that match, on all pages")]
    cases: list[CaseView]
    next_offset: Annotated[int | None, Field(description="offset of the next page; null on the last one")]


class CaseQuery(NamedTuple):
    """Which cases are wanted; without a status those that are not closed."""

    zone_id: str | None = None
    status: Status | None = None
    limit: int = 50
    offset: int = 0


def case_page(
    state: AlertState, entries: Mapping[Machine, Sequence[LogEntry]], query: CaseQuery, now: datetime
) -> CasesResponse:
    """A page of the cases that match.

    Args:
        state: all cases, as the newest run of scoring left them.
        entries: what people recorded, by machine: a case shows it before the next run has seen it.
        query: which cases.
        now: the present, aware.
    """
    cases = [
        case
        for alerts in state.machines.values()
        for case in _heeding(alerts, entries, now).cases
        if _matches(case, query)
    ]
    cases.sort(key=_urgency)
    end = query.offset + query.limit
    return CasesResponse(
        total=len(cases),
        cases=[case_view(case) for case in cases[query.offset : end]],
        next_offset=end if end < len(cases) else None,
    )


def machine_cases(
    alerts: MachineAlerts, entries: Mapping[Machine, Sequence[LogEntry]], now: datetime
) -> list[CaseView]:
    """All cases of one machine, closed ones too, the newest first; arguments as for `case_page`."""
    cases = _heeding(alerts, entries, now).cases
    return [case_view(case) for case in sorted(cases, key=lambda case: case.opened_at, reverse=True)]


def _heeding(alerts: MachineAlerts, entries: Mapping[Machine, Sequence[LogEntry]], now: datetime) -> MachineAlerts:
    machine = next((case.machine for case in alerts.cases if not case.is_closed), None)
    if machine is None or not entries.get(machine):
        return alerts
    # entries close and acknowledge; the limits of the rule are for predictions
    return progress.heed(machine, alerts, entries[machine], Rule(), now)


def _matches(case: Case, query: CaseQuery) -> bool:
    if query.zone_id not in (None, case.zone_id):
        return False
    return not case.is_closed if query.status is None else case.status is query.status


def _urgency(case: Case) -> tuple[int, float, str]:
    """Smaller is more urgent; closed cases are in order of their closing, the newest first."""
    if case.closed_at:
        return 0, -case.closed_at.timestamp(), case.id
    return -case.level, case.facts.rul_days if case.facts else 0.0, case.id
