"""What speed is measured on: a fresh S3 server, a simulated lake and a promoted model."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import msgspec
import numpy as np

from monitory import sensors
from monitory.clock import HOURS_PER_DAY
from monitory.features import vector
from monitory.machine import Machine
from monitory.model.card import Calibration, CalibrationPoint, Card
from monitory.registry.registry import CARD_FILE, MODEL_FILE, Registry
from monitory.registry.version import Version
from monitory.storage.port import Blob, Entry
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import REGION, S3, embedded_s3
from monitory_local.simulator.lake import write_hours
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.wear import Plan

START = 496_800
"""The hour at which simulated factories begin, a midnight."""

MODEL_KEY = "models/latest/lgbm_regressor.json"
CAP_DAYS = 30.0

TREES = 125
"""Of each booster of a model of the product's size, see `Recipe`."""

_LIVES, _LIFE_HOURS = 60, 160


@contextmanager
def buckets() -> Iterator[tuple[str, str]]:
    """An empty lake bucket and an empty model bucket of a server of their own, and an environment that names them."""
    lake, models = f"lake-{uuid4().hex[:8]}", f"model-{uuid4().hex[:8]}"
    for name in [name for name in os.environ if name.startswith(("AWS_ENDPOINT", "S3_", "LOG_"))]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, embedded_s3(Path(folder)) as s3, s3.active():
        s3.ensure_buckets(lake, models)
        os.environ |= {
            "S3_INPUT_DATA_BUCKET_NAME": lake,
            "S3_MODEL_BUCKET_NAME": models,
            "LOG_LEVEL": "ERROR",
            "LOG_FORMAT": "TEXT",
        }
        yield lake, models


def new_bucket() -> str:
    """One more empty bucket of the server that the environment names."""
    name = f"model-{uuid4().hex[:8]}"
    S3(os.environ["AWS_ENDPOINT_URL"], {}).ensure_buckets(name)
    return name


def bucket(name: str) -> S3Storage:
    """A client of a bucket."""
    return S3Storage(name, region=REGION)


def factory(machines: int, rate_seconds: float = 5.0) -> Producer:
    """A factory that begins at `START`."""
    return Producer(Plan(START, machines=machines, rate_seconds=rate_seconds))


def write_days(lake: str, machines: int, days: int, rate_seconds: float = 5.0) -> int:
    """Fill a lake from `START`; returns the bytes."""
    hours = range(START, START + days * HOURS_PER_DAY)
    return write_hours(bucket(lake), factory(machines, rate_seconds), hours).size


def promote_model(models: str, seed: int = 0, trees: int = TREES) -> str:
    """Train a model of the product's recipe on wear-like rows and promote it; returns its text.

    Args:
        models: the bucket.
        seed: of the rows.
        trees: of each booster; as many as the product's models have.
    """
    from monitory_retrain.dataset.lifetimes import Lifetimes  # heavy: not for those who only read a lake
    from monitory_retrain.training.training import Recipe, train

    sensor_set = sensors.load()
    names = vector.trained(sensor_set)
    draw = np.random.default_rng(seed)
    n = _LIVES * _LIFE_HOURS
    life, age = np.divmod(np.arange(n), _LIFE_HOURS)
    wear = (age / _LIFE_HOURS)[:, None]
    x = 50 + draw.normal(0, 1, (1, len(names))) * wear * 3 + draw.normal(0, 1, (n, len(names)))
    x[:, names.index(vector.AGE)] = age
    lives = Lifetimes((_LIFE_HOURS - age) / HOURS_PER_DAY, np.ones(n, dtype=np.bool_), CAP_DAYS)
    text = train(x, lives, life, names, Recipe(trees=trees, threads=1, variant="median")).text
    version = Version.at(datetime.now(UTC))
    card = Card(
        version=str(version),
        trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
        feature_schema=vector.SCHEMA,
        sensors=sensor_set,
        cap_days=CAP_DAYS,
        features=names,
        calibration=Calibration(0.9, tuple(CalibrationPoint(float(d), -1.0, 1.0) for d in range(0, 31, 5))),
        ranges=dict.fromkeys(names, (-1e9, 1e9)),
        machines=frozenset({"EQUIP-001"}),
    )
    registry = Registry(bucket(models), MODEL_KEY)
    files = {MODEL_FILE: (text.encode(), "text/plain"), CARD_FILE: (msgspec.json.encode(card), "application/json")}
    registry.store(str(version), files)
    registry.promote(str(version), by="benchmark", reason="to be measured", expected=None)
    return text


class CountedStorage(S3Storage):
    """Counts the requests of all buckets of this process; a listing of n thousand objects counts as n."""

    requests: ClassVar[Counter[str]] = Counter()

    def get_if_changed(self, key: str, etag: str | None) -> Blob | None:
        """See Storage."""
        self.requests["GET"] += 1
        return super().get_if_changed(key, etag)

    def stream(self, key: str, chunk_bytes: int) -> Iterator[bytes]:
        """See Storage."""
        self.requests["GET"] += 1
        return super().stream(key, chunk_bytes)

    def list(self, folder: str) -> Iterator[Entry]:
        """See Storage."""
        self.requests["LIST"] += 1
        for number, entry in enumerate(super().list(folder), start=1):
            if number % 1000 == 1 and number > 1:
                self.requests["LIST"] += 1
            yield entry

    def folders(self, folder: str) -> Sequence[str]:
        """See Storage."""
        self.requests["LIST"] += 1
        return super().folders(folder)

    def put(self, key: str, body: bytes, *, content_type: str, **others: Any) -> str:
        """See Storage."""
        self.requests["PUT"] += 1
        return super().put(key, body, content_type=content_type, **others)


def rest_event(machine: Machine) -> Mapping[str, object]:
    """API Gateway's event of a predict request."""
    query = {"zoneId": machine.zone_id, "equipId": machine.equip_id}
    return {
        "resource": "/api/v1/predict",
        "path": "/api/v1/predict",
        "httpMethod": "GET",
        "headers": {"Accept": "application/json", "Host": "api.example.com"},
        "multiValueHeaders": {"Accept": ["application/json"], "Host": ["api.example.com"]},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()},
        "pathParameters": None,
        "requestContext": {"path": "/api/v1/predict", "httpMethod": "GET", "identity": {"sourceIp": "203.0.113.7"}},
        "body": None,
        "isBase64Encoded": False,
    }
