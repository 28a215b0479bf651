"""Days that were read already, for a job that is asked to learn from them."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from monitory_retrain.dataset import hour_table
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.ingest.counts import Counts
from monitory_retrain.ingest.ingest import Ingest, Ingested
from monitory_retrain.invocation.events import TrainingRequest
from tests.support import reports

NIGHT = TrainingRequest(reports.FIRST, reports.LAST, by="tests")


class Ready(Ingest):
    """Days that were read already."""

    def __init__(self) -> None:
        self.config = reports.LAKE

    def days(self, days: Sequence[date], *, refresh: datetime | None, in_time: Callable[[], bool]) -> Ingested:
        return Ingested(reports.table(), Counts(), [])


class RecordingIngest(Ingest):
    """The same, for a handler; it notes which days it was asked for."""

    def __init__(self) -> None:
        self.config = reports.LAKE
        self.asked: list[tuple[str, str, int | None]] = []

    def days(self, days: Sequence[date], *, refresh: datetime | None, in_time: Callable[[], bool]) -> Ingested:
        self.asked.append((str(days[0]), str(days[-1]), None))
        return Ingested(reports.table(), Counts(objects=1), [])

    def history(self, first: date, before: date, max_rows: int, in_time: Callable[[], bool]) -> HourTable:
        return hour_table.join([], reports.table().values.shape[1])

    def sample(self, days: Sequence[date], count: int) -> Ingested:
        self.asked.append((str(days[0]), str(days[-1]), count))
        return Ingested(reports.table(), Counts(objects=1), [])
