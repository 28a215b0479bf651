"""Answers about the whole factory without HTTP: fleet, machines, models, records, what predictions came to.

Imported with the web framework: predictions need none of it.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

import msgspec

from monitory import clock
from monitory.errors import UNDECODABLE, ModelError, MonitoryError, NoData, StorageError
from monitory.features.hour_row import HourRow
from monitory.logbook.logbook import Logbook
from monitory.machine import Machine
from monitory.registry.registry import METRICS_FILE, Promotion
from monitory.scoring import performance
from monitory.scoring.failure_cache import Failures
from monitory.scoring.performance import Performance
from monitory.scoring.trends import KEEP_HOURS
from monitory_predict.case_book import CaseBook, MachineBook
from monitory_predict.machine_log import HistoryResponse, machine_log
from monitory_predict.service import PredictService
from monitory_predict.views.fleet_page import FleetQuery, fleet_page, limits_of
from monitory_predict.views.fleet_view import FleetResponse
from monitory_predict.views.machine_page import MachineParts, MachineResponse, machine_page
from monitory_predict.views.machine_runs import Run, runs
from monitory_predict.views.record_view import RecordView

NEWEST_VERSIONS = 20
NEWEST_PROMOTIONS = 50


class StoredVersion(NamedTuple):
    """A version and its metrics; None where they cannot be read."""

    version: str
    metrics: dict[str, object] | None


class FactoryService:
    """Answers what is known beside predictions, with the parts of the predict service; blocks as its methods do."""

    def __init__(self, serving: PredictService) -> None:
        """Nothing is read yet."""
        self._serving = serving
        self.case_book = CaseBook(serving.registry.storage, serving.histories.lake_name, serving.operators)

    def fleet(self, query: FleetQuery, now: datetime) -> FleetResponse:
        """A page of the fleet, the most urgent machines first.

        Raises:
            NoData: the score function has not run yet, or is switched off.
            StorageError: the fleet state cannot be read.
        """
        if self._serving.scored is None:
            raise NoData("there is no fleet state: scoring is switched off")
        fleet = self._serving.scored.fleet()
        served = self._serving.scored.served_model()
        trends = self._serving.scored.trends() if query.with_trend else None
        cap_days = served.model.cap_days if served else None
        return fleet_page(fleet, query, now, self._serving.scored.max_age, cap_days, trends)

    def machine(self, machine: Machine, now: datetime) -> MachineResponse:
        """What is known of a machine beside its present prediction.

        Raises:
            NoData: it is in no fleet state, or scoring is switched off.
            StorageUnavailable: the store failed.
            StorageError: the cases or the records are damaged.
        """
        if self._serving.scored is None:
            raise NoData("there is no fleet state: scoring is switched off")
        fleet = self._serving.scored.fleet()
        if str(machine) not in fleet.machines:
            raise NoData(f"{machine} is not in the fleet state: it has had no object in the last 30 days")
        serving = self._serving.executor.submit(self._serving.scored.served_model)
        reading_trends = self._serving.executor.submit(self._serving.scored.trends)
        reading_failures = self._serving.executor.submit(self._serving.failures.current)
        reading_book = self._serving.executor.submit(self.case_book.of, machine, now)
        rows = self._serving.histories.stored_rows(machine, now)
        served, book = serving.result(), reading_book.result()
        present = clock.hour_of(now)
        parts = MachineParts(
            machine=machine,
            limits_days=limits_of(fleet),
            cap_days=served.model.cap_days if served else None,
            card=served.model.card if served else None,
            rows=rows,
            trend=reading_trends.result().points(str(machine), present - KEEP_HOURS),
            runs=self._runs(machine, rows, reading_failures.result(), book, present),
            records=[RecordView.of(record) for record in book.records],
            cases=book.cases,
        )
        return machine_page(parts, self._serving.sensors)

    def _runs(
        self, machine: Machine, rows: Sequence[HourRow], failures: Failures, book: MachineBook, present: int
    ) -> list[Run]:
        """The runs of a machine by its rows, the log of failures and its records; none known without rows."""
        if not rows:
            return []
        logbook = failures.logbook
        if logbook or failures.state.log_key is None:  # else the log's file cannot be read, and may list failures
            logbook = (logbook or Logbook()).with_records(book.entries)
        stops = failures.state.stops(machine, rows, self._serving.sensors, logbook)
        decides = logbook is None or logbook.lists_failures
        return runs(stops, rows[-1].hour, present, logbook_decides=decides)

    def history(self, machine: Machine, days: int, now: datetime) -> HistoryResponse:
        """What a machine was predicted in the last days, out of the prediction log.

        Raises:
            NoData: nothing. StorageUnavailable: the store failed.
        """
        return machine_log(
            self._serving.registry.storage,
            self._serving.histories.lake_name,
            self._serving.executor,
            machine,
            days,
            now,
        )

    def performance(self) -> Performance:
        """What logged predictions came to.

        Raises:
            NoData: no retrain has measured it yet. StorageError: it cannot be read.
        """
        figures = performance.latest(self._serving.registry.storage)
        if figures is None:
            raise NoData("nothing has been measured yet: a retrain does it once the prediction log has lines")
        return figures

    def versions(self) -> tuple[list[StoredVersion], list[Promotion], Promotion | None]:
        """The newest versions and the served one, with metrics; the newest promotions; the served object's promotion.

        Raises:
            StorageUnavailable: the store failed.
        """
        newest = list(islice(reversed(list(self._serving.registry.versions())), NEWEST_VERSIONS))
        try:
            served = self._serving.registry.served().promotion
        except ModelError:
            served = None
        if served and served.version not in newest:
            newest.append(served.version)  # however old
        stored = list(self._serving.executor.map(self._stored, newest))
        return stored, self._serving.registry.history(NEWEST_PROMOTIONS, self._serving.executor), served

    def report(self, version: str) -> bytes:
        """The report page of a version.

        Raises:
            UnknownVersion: there is no such version, or it has no report.
            StorageUnavailable: the store failed.
        """
        return self._serving.registry.read(version, "report.html")

    def _stored(self, version: str) -> StoredVersion:
        try:
            metrics = msgspec.json.decode(self._serving.registry.read(version, METRICS_FILE), type=dict[str, object])
        except (MonitoryError, *UNDECODABLE) as exc:
            if isinstance(exc, StorageError):
                raise
            metrics = None
        return StoredVersion(version, metrics)
