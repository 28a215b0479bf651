"""Cases and records: what scoring made of predictions, and what people write down about it."""

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from monitory import clock
from monitory.alerts import store
from monitory.alerts.case import MachineAlerts
from monitory.alerts.store import AlertState
from monitory.alerts.view import CaseView
from monitory.decoding.dialect import Refusal
from monitory.errors import InvalidRecord, NoData, NotPermitted
from monitory.logbook import records
from monitory.logbook.entry import Kind, LogEntry
from monitory.logbook.records import NO_RECORDS, Record
from monitory.machine import Machine
from monitory.storage.port import Storage
from monitory_predict.cache.state import StateCache
from monitory_predict.views.case_page import CaseQuery, CasesResponse, case_page, machine_cases

_OF_THE_PAST = frozenset({Kind.FAILURE, Kind.INSPECTION, Kind.FALSE_ALARM, Kind.SEEN})
"""Kinds that tell what has happened; work may be written down before it begins."""


class MachineBook(NamedTuple):
    """A machine's cases as callers see them, and its records; the newest first."""

    cases: list[CaseView]
    records: list[Record]

    @property
    def entries(self) -> list[LogEntry]:
        """The records as entries of the logbook."""
        return [entry for entries in _by_machine(self.records).values() for entry in entries]


class CaseBook:
    """Reads cases and writes records; the state is in memory while its ETag stays the same."""

    def __init__(self, storage: Storage, lake: str, operators: Collection[str] = ()) -> None:
        """Nothing is read yet.

        `lake` is the fingerprint of the lake whose machines have the cases, `operators` are the ids of the API keys
        that may write.
        """
        self._storage = storage
        self._alerts = StateCache(storage, store.state_object(lake))
        self._operators = frozenset(operators)
        self._lock = threading.Lock()
        self._index = NO_RECORDS

    def page(self, query: CaseQuery, now: datetime) -> CasesResponse:
        """A page of the cases, records that scoring has not seen yet included.

        Raises:
            NoData: the score function has not run yet, or is switched off.
            StorageUnavailable: the store failed.
            StorageError: the cases are damaged.
        """
        state = self._state()
        return case_page(state, _by_machine(self._records()), query, now)

    def of(self, machine: Machine, now: datetime) -> MachineBook:
        """The cases and records of one machine, records that scoring has not seen yet included.

        Raises:
            StorageUnavailable: the store failed.
            StorageError: the cases are damaged.
        """
        try:
            alerts = self._state().machines.get(str(machine), MachineAlerts())
        except NoData:  # no machine has had a case yet
            alerts = MachineAlerts()
        newest_first = sorted(self._records(machine), key=lambda record: (record.at, record.id), reverse=True)
        return MachineBook(machine_cases(alerts, _by_machine(newest_first), now), newest_first)

    def _state(self) -> AlertState:
        stored = self._alerts.current()
        if stored.etag is None:
            raise NoData("there are no cases: the score function has not run yet, or is switched off")
        return stored.value

    def _records(self, machine: Machine | None = None) -> list[Record]:
        """The records of a machine, or of all."""
        with self._lock:
            self._index = index = records.read_index(self._storage, self._index)
        indexed = [one for one in index.by_key.values() if machine in (None, one.machine)]
        return [*indexed, *records.unindexed(self._storage, index, machine)]

    def add(self, caller: str, record: Record) -> Record:
        """Write a record once; returns it, or the one that the same request has written before.

        Args:
            caller: the id of the API key.
            record: what is written; `at` is the present.

        Raises:
            NotPermitted: the key is not an operator's.
            InvalidRecord: a field cannot be used.
            Conflict: the idempotency key belongs to another record.
            StorageUnavailable: the store failed.
        """
        if caller not in self._operators:
            raise NotPermitted("this key may read but not write: records need a key of the operators' usage plan")
        try:
            entry = record.entry
        except Refusal as exc:
            raise InvalidRecord(f"{exc.sample or exc.reason}: see the log of failures for what a field may be") from exc
        if entry.kind in _OF_THE_PAST and entry.first > clock.hour_of(clock.naive(record.at)):
            raise InvalidRecord(f"start is {record.start}, in the future: {entry.kind} is of the past, planned is not")
        return records.add(self._storage, record)


def _by_machine(of_machines: Iterable[Record]) -> dict[Machine, list[LogEntry]]:
    """Records as entries of the logbook."""
    entries: defaultdict[Machine, list[LogEntry]] = defaultdict(list)
    for record in of_machines:
        with suppress(Refusal):  # of a later version, which knows more kinds
            entries[record.machine].append(record.entry)
    return entries
