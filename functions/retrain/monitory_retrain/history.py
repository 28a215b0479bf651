"""What a run knows of the time before its range: older hour rows that are cached, and last failures."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from monitory.features.failure_state import FailureState
from monitory.machine import Machine, machine
from monitory.settings import RetrainSettings
from monitory_retrain.dataset import sufficiency
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.ingest.ingest import Ingest
from monitory_retrain.invocation.events import TrainingRequest

MAX_ROWS = 500_000
"""Hour rows that history may fill up to: so many are measured to fit into the function (`make bench-training`)."""


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of the time before a range.

    Attributes:
        rows: older hour rows; None where they have no part in it.
        failures: machines' last failures before the first of all rows; later ones are labelled from the rows.
        warnings: what to know before training, in sentences.
    """

    rows: HourTable | None
    failures: dict[Machine, int]
    warnings: list[str]


def past(
    ingest: Ingest,
    request: TrainingRequest,
    table: HourTable,
    state: FailureState,
    settings: RetrainSettings,
    in_time: Callable[[], bool],
) -> Past:
    """What is known of the time before a range.

    Args:
        ingest: reads the cached rows.
        request: the range, and whether older rows teach.
        table: the hour rows of the range.
        state: what earlier runs have written of failures.
        settings: how many days of history.
        in_time: as in `Ingest.history`.

    Raises:
        StorageUnavailable: a cached day cannot be read.
    """
    if not len(table):
        return Past(None, {}, [])
    rows = None
    if request.history:
        first = request.last - timedelta(days=settings.history_days - 1)
        rows = ingest.history(first, request.first, MAX_ROWS - len(table), in_time)
    first_hour = min(int(part.hour.min()) for part in (rows, table) if part)
    warning = sufficiency.short_span(first_hour, int(table.hour.max()), settings)
    failures = {
        machine(*name.split("/", 1)): hour for name, hour in state.last.items() if hour < first_hour and "/" in name
    }
    return Past(rows, failures, [warning] if warning else [])
