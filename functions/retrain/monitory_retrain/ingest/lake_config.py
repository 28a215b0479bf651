"""Which lake is read, and how: what a process needs to open it."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from monitory import clock, metric_names, sensors
from monitory.decoding.tables import Row
from monitory.history.history_store import HistoryStore
from monitory.lake import Lake
from monitory.layout import lake_layout
from monitory.layout.lake_layout import DEFAULT_LAYOUT, LakeLayout
from monitory.log import Logger
from monitory.sensors import SensorSet
from monitory.settings import RetrainSettings
from monitory.storage.port import Storage
from monitory.storage.s3 import S3Storage
from monitory_retrain.ingest.kernels import VECTORISED


class ScoredRowsConfig(NamedTuple):
    """Where the score function keeps rows, and how many of its objects are read again; see `scored_rows`."""

    bucket: str
    region: str
    verify_one_in: int

    def store(self, lake: Lake) -> HistoryStore:
        """The rows of a lake."""
        log = Logger(service=metric_names.RETRAIN_SERVICE)
        return HistoryStore(S3Storage(self.bucket, region=self.region), lake, log)


class LakeConfig(NamedTuple):
    """What a process needs to open the lake; it can be pickled. Without `scored_rows` only the lake is read."""

    bucket: str
    region: str
    prefix: str
    sensors: SensorSet
    time_zone: str = clock.DEFAULT_ZONE
    layout: LakeLayout = DEFAULT_LAYOUT
    scored_rows: ScoredRowsConfig | None = None

    def lake(self) -> Lake:
        """The lake with the kernel of training."""
        return self.lake_in(S3Storage(self.bucket, region=self.region))

    def fingerprint(self) -> str:
        """Eight hex digits that tell lakes apart."""
        return self.layout.fingerprint(self.bucket, self.prefix)

    def lake_in(self, storage: Storage) -> Lake:
        """The lake, read through `storage`."""
        kernel = VECTORISED._replace(parquet_rows=_parquet_rows)
        return Lake(storage, self.prefix, self.sensors, kernel, self.layout)


def of_settings(settings: RetrainSettings) -> LakeConfig:
    """The lake that settings name, whose clock this process's becomes.

    Raises:
        SensorSetError, LakeLayoutError: a file of the sensors or of the lake's shape cannot be used.
        SettingsError: there is no such time zone.
    """
    sensor_set = sensors.load(settings.sensors_file)
    layout = lake_layout.load(settings.lake_file, settings.sensors_file)
    zone = settings.factory_time_zone or layout.time_zone
    clock.set_zone(zone)
    scored_rows = ScoredRowsConfig(settings.s3_model_bucket_name, settings.aws_region, settings.verify_one_in)
    bucket, region = settings.s3_input_data_bucket_name, settings.lake_region
    return LakeConfig(bucket, region, settings.s3_input_data_key, sensor_set, zone, layout, scored_rows)


def _parquet_rows(path: str, chunks: Iterable[bytes]) -> Iterator[list[Row]]:
    from monitory_retrain.ingest import parquet_lake  # Arrow takes more memory than the work of most lakes

    return parquet_lake.rows(path, chunks)
