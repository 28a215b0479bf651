"""The alert state: every machine's cases, and the outbox of transitions that have not been sent yet.

    state/cases/<lake>.json.gz    <lake>: the fingerprint of the lake whose machines they are

A transition is written into the outbox by the same conditional write that changes its case, and taken out after it was
sent: nothing is lost. Before sending, a run takes a lease on what it sends, by the same write: of two runs at once one
sends. A run that dies between sending and taking out leaves its transitions to the next one, which sends them again
with the same id.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

import msgspec

from monitory.alerts.case import Case, MachineAlerts, Transition
from monitory.alerts.progress import KEEP
from monitory.storage.port import Storage
from monitory.storage.state_object import StateObject

FOLDER = "state/cases/"

LEASE = timedelta(minutes=2)
"""How long a run has for sending; afterwards another one sends what is left."""

GIVE_UP = timedelta(days=7)
"""How long a transition waits in the outbox of a service that cannot send."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
T = TypeVar("T")


class Message(msgspec.Struct, frozen=True):
    """A transition on its way. The field names are the stored format.

    Attributes:
        transition: what is sent.
        channels: names of the channels that it still has to go through.
        leased_until: nobody else sends it before, aware.
    """

    transition: Transition
    channels: tuple[str, ...]
    leased_until: datetime = _EPOCH


class DigestMark(msgspec.Struct, frozen=True):
    """The newest digest. The field names are the stored format.

    Attributes:
        day: the last day that it tells of.
        is_sent: whether it has been sent.
        leased_until: until then nobody else sends it, aware.
    """

    day: date = date.min
    is_sent: bool = False
    leased_until: datetime = _EPOCH


class AlertState(msgspec.Struct, frozen=True):
    """The alerts of all machines, by `<zoneId>/<equipId>`, and what is sent. The field names are the stored format."""

    machines: dict[str, MachineAlerts] = {}
    outbox: tuple[Message, ...] = ()
    digest: DigestMark = DigestMark()

    @property
    def cases(self) -> list[Case]:
        """Every case."""
        return [case for alerts in self.machines.values() for case in alerts.cases]


def state_object(lake: str) -> StateObject[AlertState]:
    """The object with the state of a lake, given by its fingerprint.

    An empty state in place of a damaged one would lose acknowledgements and send again.
    """
    remedy = "bring back an earlier version of it, or delete it: then cases are opened anew"
    return StateObject(f"{FOLDER}{lake}.json.gz", AlertState, remedy)


def update(storage: Storage, lake: str, change: Callable[[AlertState], tuple[AlertState, T]]) -> T:
    """Change the state of a lake.

    Args:
        storage: the model bucket.
        lake: the lake's fingerprint.
        change: makes the new state of the present one, and an outcome beside it; called again where another run was
            first.

    Returns:
        the outcome of the last call.

    Raises:
        StorageUnavailable: the store failed, or other writers were faster every time.
        StorageError: the object is damaged.
    """
    outcomes: list[T] = []

    def step(state: AlertState) -> AlertState:
        state, outcome = change(state)
        outcomes.append(outcome)
        return state

    state_object(lake).update(storage, step)
    return outcomes[-1]


def enqueued(
    state: AlertState,
    machines: Mapping[str, MachineAlerts],
    transitions: Iterable[Transition],
    channels: Collection[str],
    hour: int,
) -> AlertState:
    """A state with machines as they are now, and their transitions in the outbox.

    Args:
        state: as it was.
        machines: by name.
        transitions: to be sent.
        channels: through which; none: nobody is told.
        hour: the present one, see `clock`; machines that are gone are left out.
    """
    oldest = hour - 2 * KEEP // timedelta(hours=1)
    together = {**state.machines, **machines}
    present = {name: together[name] for name in sorted(together) if together[name].newest >= oldest}
    messages = tuple(Message(one, tuple(channels)) for one in transitions) if channels else ()
    return msgspec.structs.replace(state, machines=present, outbox=(*state.outbox, *messages))


def leased(state: AlertState, now: datetime) -> tuple[AlertState, tuple[Message, ...]]:
    """A state in which a run has a lease on all messages that no other has, and these messages.

    Messages older than `GIVE_UP` are left out of both.
    """
    waiting = [one for one in state.outbox if now - one.transition.at < GIVE_UP]
    mine = {one.transition.id for one in waiting if one.leased_until <= now}
    outbox = tuple(
        msgspec.structs.replace(one, leased_until=now + LEASE) if one.transition.id in mine else one for one in waiting
    )
    return msgspec.structs.replace(state, outbox=outbox), tuple(one for one in outbox if one.transition.id in mine)


def settled(
    state: AlertState, sent: Mapping[str, Collection[str]], leases: Collection[str], channels: Collection[str]
) -> AlertState:
    """A state without what was sent; the leases on what was not are given back.

    Args:
        state: as it was.
        sent: the channels that took a transition, by its id.
        leases: ids of the transitions on which the run had a lease.
        channels: those that there are; what waits for another one, which was switched off, waits no longer.
    """
    outbox = []
    for one in state.outbox:
        taken = sent.get(one.transition.id, ())
        left = tuple(name for name in one.channels if name in channels and name not in taken)
        until = _EPOCH if one.transition.id in leases else one.leased_until
        if left:
            outbox.append(Message(one.transition, left, until))
    return msgspec.structs.replace(state, outbox=tuple(outbox))
