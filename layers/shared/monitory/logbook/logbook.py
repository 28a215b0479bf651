"""The logbook by machine: downtimes in hours."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from monitory.logbook.entry import Kind, LogEntry
from monitory.logbook.parsing import parse, sentences
from monitory.machine import Machine

_NAMED = 5
"""How many ids a sentence names."""


class Downtime(NamedTuple):
    """Hours of a failure, of maintenance or of a false alarm.

    Attributes:
        first: the first hour, see `clock`.
        after: the first hour after it; None: until the readings are normal again.
        failure_mode: the way in which the machine fails; empty if unknown.
    """

    first: int
    after: int | None = None
    failure_mode: str = ""

    def covers(self, hour: int) -> bool:
        """Whether an hour is one of its hours; without an end, only the first is certain to be."""
        return self.first <= hour < (self.first + 1 if self.after is None else self.after)


class MachineLog(NamedTuple):
    """What the logbook says of one machine, each in order of time.

    Attributes:
        failures, maintenance, false_alarms: their hours; failures within a false alarm are left out.
        lists_failures: the log file has failures, of this machine or another: the logbook decides what a failure is.
    """

    failures: tuple[Downtime, ...] = ()
    maintenance: tuple[Downtime, ...] = ()
    false_alarms: tuple[Downtime, ...] = ()
    lists_failures: bool = False


class Logbook:
    """The entries of a logbook, by machine: those of the log file, and those recorded one by one.

    Attributes:
        lists_failures: the log file has failures, so the logbook alone decides what a failure is. Otherwise failures
            are found in the readings; a failure that is recorded by itself counts beside those.
        warnings: what is wrong with lines that are not used, a sentence a reason.
        counts: number of entries by kind, and `rejected`.
    """

    def __init__(
        self,
        entries: Iterable[LogEntry] = (),
        warnings: Sequence[str] = (),
        rejected: int = 0,
        records: Iterable[LogEntry] = (),
    ) -> None:
        """Sort entries by machine: those of the log file, and `records`."""
        self._by_id: defaultdict[str, list[LogEntry]] = defaultdict(list)
        self._entries, self._rejected = list(entries), rejected
        self.lists_failures = any(one.kind is Kind.FAILURE for one in self._entries)
        kinds: Counter[str] = Counter()
        for one in (*self._entries, *records):
            self._by_id[one.equip_id].append(one)
            kinds[one.kind] += 1
        self.warnings = list(warnings)
        self.counts = {str(kind): count for kind, count in kinds.items()} | ({"rejected": rejected} if rejected else {})

    def with_records(self, records: Iterable[LogEntry]) -> "Logbook":
        """The log file's entries with other records."""
        return Logbook(self._entries, self.warnings, self._rejected, records)

    def entries_of(self, machine: Machine, shared_ids: Collection[str] = ()) -> list[LogEntry]:
        """The entries about a machine.

        Args:
            machine: which.
            shared_ids: equipIds of machines in several zones; entries of these need a zoneId.
        """
        zones = {machine.zone_id} if machine.equip_id in shared_ids else {machine.zone_id, None}
        return [one for one in self._by_id.get(machine.equip_id, ()) if one.zone_id in zones]

    def of(self, machine: Machine, shared_ids: Collection[str] = ()) -> MachineLog:
        """A machine's downtimes; arguments as for `entries_of`."""
        by_kind: dict[Kind, list[Downtime]] = {kind: [] for kind in Kind}
        for one in self.entries_of(machine, shared_ids):
            by_kind[one.kind].append(Downtime(one.first, one.after, one.failure_mode))
        alarms = sorted(by_kind[Kind.FALSE_ALARM])
        failures = [it for it in by_kind[Kind.FAILURE] if not any(alarm.covers(it.first) for alarm in alarms)]
        maintenance = sorted(by_kind[Kind.MAINTENANCE], key=_start)
        return MachineLog(tuple(sorted(failures, key=_start)), tuple(maintenance), tuple(alarms), self.lists_failures)

    def unmatched(self, machines: Collection[Machine]) -> list[str]:
        """Which entries belong to no machine, or to several: a sentence each, with ids and the remedy.

        Args:
            machines: all machines with readings.
        """
        unknown: Counter[str] = Counter()
        ambiguous: Counter[str] = Counter()
        shared = shared_ids(machines)
        ids = {machine.equip_id for machine in machines}
        for equip_id, entries in self._by_id.items():
            for one in entries:
                if one.zone_id is None and equip_id in shared:
                    ambiguous[equip_id] += 1
                elif one.zone_id is None and equip_id not in ids:
                    unknown[equip_id] += 1
                elif one.zone_id is not None and Machine(one.zone_id, equip_id) not in machines:
                    unknown[f"{one.zone_id}/{equip_id}"] += 1
        remedies = (
            (unknown, "of machines without readings", "write zoneId and equipId as in the lake, letter by letter"),
            (ambiguous, "of an equipId that stands in several zones", "add the zoneId"),
        )
        return [
            f"{counts.total():,} {'entry' if counts.total() == 1 else 'entries'} of the log {defect} "
            f"({_named(counts)}): {remedy}"
            for counts, defect, remedy in remedies
            if counts
        ]


def read_logbook(body: bytes) -> Logbook:
    """The logbook in an object.

    Raises:
        UnreadableObject: no line of it can be used; see `parsing.parse`.
    """
    entries, rejects = parse(body)
    return Logbook(entries, sentences(rejects), rejects.counts.total())


def shared_ids(machines: Iterable[Machine]) -> frozenset[str]:
    """The equipIds of machines in several zones."""
    counts = Counter(machine.equip_id for machine in machines)
    return frozenset(equip_id for equip_id, count in counts.items() if count > 1)


def _start(downtime: Downtime) -> int:
    return downtime.first


def _named(counts: Counter[str]) -> str:
    names = sorted(counts)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
