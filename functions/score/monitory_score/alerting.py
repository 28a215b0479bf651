"""From the fleet state to cases, and from cases to messages.

It runs after the fleet state was written, and reads nothing else of the run: what one run could not do, for it died or
the store failed, the next one does.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from monitory import clock
from monitory.alerts import progress, store
from monitory.alerts.case import Cause, Facts, MachineAlerts, Transition
from monitory.alerts.rule import Rule
from monitory.alerts.store import AlertState, Message
from monitory.errors import UNDECODABLE, InvalidIdentifier
from monitory.log import Logger
from monitory.machine import machine
from monitory.scoring.failure_cache import Failures
from monitory.scoring.fleet import FleetState, MachineState
from monitory.scoring.stored_answer import StoredAnswer, shortening
from monitory.settings import ScoreSettings
from monitory.storage.port import Storage
from monitory_score.delivery import Channel


class AlertSummary(NamedTuple):
    """What a run did about cases.

    Attributes:
        open_cases: cases that are not closed.
        silent: those among them that are about silence.
        sent: transitions that all channels took.
        unsent: transitions that wait in the outbox.
    """

    open_cases: int = 0
    silent: int = 0
    sent: int = 0
    unsent: int = 0


class Alerting:
    """Keeps the cases of all machines, and sends their transitions."""

    def __init__(self, storage: Storage, lake: str, rule: Rule, channels: Sequence[Channel], log: Logger) -> None:
        """Nothing is read yet; `lake` is the fingerprint of the lake whose machines have the cases."""
        self._storage = storage
        self._lake = lake
        self.rule = rule
        self._channels = channels
        self._log = log

    def run(self, fleet: FleetState, failures: Failures, now: datetime) -> AlertSummary:
        """Bring the cases up to date and send what has changed.

        Raises:
            StorageUnavailable: the store failed.
            StorageError: the alert state is damaged.
        """
        states = fleet.all_machines()
        names = tuple(channel.name for channel in self._channels)
        hour = clock.hour_of(now.astimezone(clock.zone()))

        def change(state: AlertState) -> tuple[AlertState, tuple[AlertState, tuple[Message, ...]]]:
            alerts, transitions = self._advance(state, states, failures, now)
            state, leases = store.leased(store.enqueued(state, alerts, transitions, names, hour), now)
            return state, (state, leases)

        state, leases = store.update(self._storage, self._lake, change)
        left = self._send(leases) if leases else len(state.outbox)
        cases = [case for case in state.cases if not case.is_closed]
        return AlertSummary(
            open_cases=len(cases),
            silent=sum(case.cause is Cause.SILENCE for case in cases),
            sent=len(state.outbox) - left,
            unsent=left,
        )

    def _advance(
        self, state: AlertState, states: dict[str, MachineState], failures: Failures, now: datetime
    ) -> tuple[dict[str, MachineAlerts], list[Transition]]:
        alerts: dict[str, MachineAlerts] = {}
        transitions: list[Transition] = []
        for name in sorted({*state.machines, *states}):
            zone_id, _, equip_id = name.partition("/")
            try:
                owner = machine(zone_id, equip_id)
            except InvalidIdentifier:
                continue
            scored = states.get(name, MachineState())
            logbook = failures.logbook
            step = progress.advance(
                owner,
                state.machines.get(name, MachineAlerts()),
                scored.recent,
                facts(scored),
                logbook.entries_of(owner, failures.state.shared_ids) if logbook else [],
                self.rule,
                now,
            )
            alerts[name] = step.alerts
            transitions += step.transitions
        return alerts, transitions

    def _send(self, leases: Sequence[Message]) -> int:
        """Send messages and take out of the outbox what was taken; returns how many are left in it."""
        sent: dict[str, set[str]] = {}
        for channel in self._channels:
            waiting = [one.transition for one in leases if channel.name in one.channels]
            for taken in channel.send(waiting) if waiting else ():
                sent.setdefault(taken, set()).add(channel.name)
        return self._settle(sent, {one.transition.id for one in leases})

    def _settle(self, sent: dict[str, set[str]], leases: Collection[str]) -> int:
        def change(state: AlertState) -> tuple[AlertState, int]:
            state = store.settled(state, sent, leases, {channel.name for channel in self._channels})
            return state, len(state.outbox)

        return store.update(self._storage, self._lake, change)


def facts(state: MachineState) -> Facts | None:
    """What the newest answer about a machine says; None without one."""
    if not state.has_answer:
        return None
    try:
        answer = msgspec.json.decode(state.answer, type=StoredAnswer)
    except UNDECODABLE:  # of another version of this service
        return None
    return Facts(
        rul_days=answer.days,
        as_of=answer.as_of,
        expected_failure_at=answer.expected_failure_at,
        driver=next((share.sensor for share in shortening(answer.drivers)), ""),
        failure_mode=answer.failure_mode or "",
    )


def rule_of(settings: ScoreSettings) -> Rule:
    """The rule that the settings make."""
    return Rule(
        limits_days=(settings.alert_level1_days, settings.alert_level2_days),
        enough=settings.alert_enough_hours,
        recent=settings.alert_recent_hours,
        margin_days=settings.alert_margin_days,
        silent_hours=settings.alert_silent_hours,
    )
