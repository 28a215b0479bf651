"""Why a retrain has too little data: the largest reject, or what lies in a lake instead of data."""

from collections.abc import Sequence
from datetime import date

from monitory.errors import StorageError
from monitory.storage.port import Storage
from monitory_retrain.check.findings import of_survey
from monitory_retrain.check.probe import PAGE_KEYS, Probe
from monitory_retrain.check.survey import survey
from monitory_retrain.ingest.counts import Counts, largest_loss
from monitory_retrain.ingest.lake_config import LakeConfig


def causes(counts: Counts, storage: Storage, config: LakeConfig, days: Sequence[date]) -> list[str]:
    """Sentences with what to do; none where data is just scarce, or the store fails."""
    if counts.objects:
        return [loss] if (loss := largest_loss(counts)) else []
    probe = Probe(storage, PAGE_KEYS)
    lake = config.lake_in(probe)
    try:
        return [
            f"{found.what}: {found.todo}" for found in of_survey(survey(lake, probe, days), lake, days[0], days[-1])
        ]
    except StorageError:
        return []
