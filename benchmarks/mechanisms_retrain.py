"""What each mechanism of retraining gains: the same work with it and without it, in turns.

    python -m benchmarks.mechanisms_retrain [--machines 40]

Reading ahead is measured with a store whose every request waits `ROUND_TRIP_SECONDS` longer; the rest is CPU.
"""

import argparse
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from statistics import median
from types import SimpleNamespace
from typing import cast
from unittest.mock import patch

import numpy as np

from benchmarks.sides import Side, cpu_seconds, say
from benchmarks.training import drawn_table
from monitory import clock, sensors
from monitory.features import uniform, vector
from monitory.features.hour_row import HourRow
from monitory.lake import Lake, MachineDay
from monitory.lake_listing import LakeObject
from monitory.machine import Machine
from monitory.model.model import Model
from monitory.readings.kernels import PURE, Kernel
from monitory.storage import s3
from monitory.storage.port import Blob, Storage

ROUND_TRIP_SECONDS = 0.015
ROUNDS = 5
DAYS = 21


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mechanisms_retrain", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--machines", type=int, default=40, help="whose features are built (%(default)s)")
    machines: int = parser.parse_args().machines
    measure_reading()
    measure_features(machines)
    measure_precision(machines)
    measure_ensemble()
    measure_client()


def measure_reading() -> None:
    """A machine's day of 24 objects: read one after the other or ahead, decoded by either kernel."""
    from benchmarks import stage
    from monitory_retrain.ingest.kernels import VECTORISED

    producer, day = stage.factory(1), clock.date_of_hour(stage.START)
    machine = Machine(producer.machines[0].lives.zone_id, producer.machines[0].lives.equip_id)
    files = [file for hour in range(24) for file in producer.files(0, stage.START + hour)]
    bodies = {file.key: Blob(file.body, file.key, {}, datetime.now(UTC)) for file in files}
    listing = [LakeObject(file.key, file.key, len(file.body), machine, day) for file in files]

    def distant(key: str) -> Blob:
        time.sleep(ROUND_TRIP_SECONDS)
        return bodies[key]

    def lake(get: Callable[[str], Blob], kernel: Kernel) -> Lake:
        return Lake(cast(Storage, SimpleNamespace(name="memory", get=get)), "EQUIPMENT", sensors.load(), kernel)

    executor = ThreadPoolExecutor(8)
    far = lake(distant, VECTORISED)
    compare(
        "objects read ahead",
        lambda: far.refresh(MachineDay(), listing, executor),
        lambda: far.refresh(MachineDay(), listing),
        objects=len(files),
    )
    in_one_pass = lake(bodies.__getitem__, VECTORISED)
    with patch.object(uniform, "library", lambda: None):
        fast, plain = lake(bodies.__getitem__, VECTORISED), lake(bodies.__getitem__, PURE)
    assert fast.refresh(MachineDay(), listing) == in_one_pass.refresh(MachineDay(), listing)
    compare(
        "objects whose lines are all alike in one pass" + ("" if uniform.library() else ", but not compiled"),
        lambda: in_one_pass.refresh(MachineDay(), listing),
        lambda: fast.refresh(MachineDay(), listing),
        raw_mb=sum(len(file.body) for file in files) / 1e6,
    )
    assert fast.refresh(MachineDay(), listing) == plain.refresh(MachineDay(), listing)
    compare(
        "array form of the kernel",
        lambda: fast.refresh(MachineDay(), listing),
        lambda: plain.refresh(MachineDay(), listing),
        raw_mb=sum(len(file.body) for file in files) / 1e6,
    )


def measure_features(machines: int) -> None:
    """The features of some machines' hour rows: by whole arrays, and hour by hour as serving computes them."""
    from monitory_retrain.dataset import labels
    from monitory_retrain.dataset.feature_matrix import History, matrix

    sensor_set, table = sensors.load(), drawn_table(machines, DAYS)
    every = labels.label(table, sensor_set, cap_days=5.0, share=0.5, count=1)
    histories = [
        History(table.hour[rows], table.values[rows], every.last_failure[rows], np.arange(rows.stop - rows.start))
        for _, rows in table.slices()
    ]
    names = vector.names(sensor_set)

    def hour_by_hour(history: History) -> list[list[float]]:
        rows = list(map(HourRow, history.hour.tolist(), map(tuple, history.values.tolist())))
        return [
            vector.build(rows[max(0, at - vector.HISTORY_HOURS) : at + 1], sensor_set, None if last < 0 else last)
            for at, last in enumerate(history.last_failure.tolist())
        ]

    compare(
        "features by whole arrays",
        lambda: [matrix(history, sensor_set, None, names) for history in histories],
        lambda: [hour_by_hour(history) for history in histories],
        rounds=2,
        rows=len(table),
    )


def measure_precision(machines: int) -> None:
    """What a model answers for machines that it learnt nothing from: their features in single and double precision."""
    from monitory.log import logger
    from monitory.settings import RetrainSettings
    from monitory_retrain.dataset import dataset, labels
    from monitory_retrain.dataset.lifetimes import Lifetimes
    from monitory_retrain.evaluation import holdout
    from monitory_retrain.training.training import Recipe, train

    settings = RetrainSettings(log_level="ERROR", max_rul_days=5.0)
    sensor_set, table = sensors.load(), drawn_table(machines, DAYS)
    every, names = labels.label_by(settings, table, sensor_set, None, None), vector.trained(sensor_set)
    single, double = (
        dataset.build(table, every, sensor_set, logger("benchmark", settings), names=names, dtype=dtype)
        for dtype in (dataset.TRAINING_TYPE, np.float64)
    )
    taught = single.take(single.machine % 2 == 0)
    lives = Lifetimes(taught.seen, ~np.isnan(taught.rul), settings.max_rul_days)
    text = train(taught.x, lives, taught.life, names, Recipe(threads=1, variant="plain")).text
    model = Model(text.encode(), None, feature_names=names, cap_days=settings.max_rul_days)
    others = [rows.take(rows.machine % 2 == 1) for rows in (single, double)]
    answers = [holdout.predictions(model, rows) for rows in others]
    say(
        "features in single precision",
        bytes_a_row=single.matrix.itemsize * len(names),
        without_bytes_a_row=double.matrix.itemsize * len(names),
        rows=len(answers[0]),
        differ=int((answers[0] != answers[1]).sum()),
        differ_most_days=float(np.abs(answers[0] - answers[1]).max()),
        mae_days=float(np.abs(answers[0] - others[0].seen).mean()),
        without_mae_days=float(np.abs(answers[1] - others[1].seen).mean()),
    )


def measure_ensemble() -> None:
    """A prediction by five boosters in one text, and by five models."""
    from benchmarks import stage

    with stage.buckets() as (_, models):
        texts = [stage.promote_model(models).encode()]
    names = vector.names(sensors.load())
    one = Model(texts[0], None, feature_names=names, cap_days=30.0)
    five = [Model(_part(texts[0], number), None, feature_names=names, cap_days=30.0) for number in range(5)]
    row = dict.fromkeys(one.features, 50.0)
    compare(
        "five boosters in one text",
        lambda: [one.estimate(row, "") for _ in range(100)],
        lambda: [model.estimate(row, "") for _ in range(100) for model in five],
        predictions=100,
    )


def _part(text: bytes, number: int) -> bytes:
    """Every fifth tree of a model."""
    head, *trees = text.decode().split("\nTree=")
    body, end = trees[-1].split("end of trees")
    kept = [*trees[:-1], body][number::5]
    numbered = [f"{at}\n{tree.split(chr(10), 1)[1]}" for at, tree in enumerate(kept)]
    return ("\nTree=".join([head, *numbered]) + "end of trees" + end).encode()


def measure_client() -> None:
    """A GET of a megabyte with the product's client and with boto3, and what importing each costs."""
    from benchmarks import reference, stage

    with stage.buckets() as (_, models):
        bucket, boto3 = stage.bucket(models), reference.client(Counter())
        bucket.put("object", b"x" * 1_000_000, content_type="text/plain")

        def get_by_boto3() -> object:
            return [boto3.get_object(Bucket=models, Key="object")["Body"].read() for _ in range(50)]

        get_by_boto3()
        compare("S3 client, 50 GET of 1 MB", lambda: [bucket.get("object") for _ in range(50)], get_by_boto3)
        with Side(Bodies, models, s3.REUSED_BYTES) as reusing, Side(Bodies, models, 0) as without:
            compare_sides("memory of bodies used again, 50 GET of 1 MB", reusing, without)
    imports = {name: _import_seconds(name) for name in ("obstore", "boto3")}
    say("S3 client, import", wall_ms=imports["obstore"] * 1e3, without_wall_ms=imports["boto3"] * 1e3)


class Bodies:
    """Reads an object again and again, in a process of its own: what its memory is like cannot be undone."""

    def __init__(self, models: str, reused_bytes: int) -> None:
        """A client that uses memory again up to some size."""
        from benchmarks import stage

        s3.REUSED_BYTES = reused_bytes
        self._bucket = stage.bucket(models)

    def read(self) -> None:
        """50 times."""
        for _ in range(50):
            self._bucket.get("object")


def _import_seconds(name: str) -> float:
    program = f"import time; began = time.perf_counter(); import {name}; print(time.perf_counter() - began)"
    return median(float(subprocess.check_output([sys.executable, "-c", program])) for _ in range(ROUNDS))


def compare(
    name: str, work: Callable[[], object], without: Callable[[], object], *, rounds: int = ROUNDS, **others: object
) -> None:
    """Print the median milliseconds of work with a mechanism and without it."""
    figures: dict[str, list[float]] = {}
    for _ in range(rounds):
        for prefix, call in (("", work), ("without_", without)):
            cpu, wall = cpu_seconds(), time.perf_counter()
            call()
            figures.setdefault(f"{prefix}wall_ms", []).append((time.perf_counter() - wall) * 1e3)
            figures.setdefault(f"{prefix}cpu_ms", []).append((cpu_seconds() - cpu) * 1e3)
    say(name, **others, **{key: median(values) for key, values in figures.items()})


def compare_sides(name: str, side: Side, without: Side) -> None:
    """Print the median milliseconds of two processes' `read`, of which one lacks a mechanism."""
    calls = [(side.call("read"), without.call("read")) for _ in range(ROUNDS)]
    cpu, cpu_without = (median(call.cpu for call in of) * 1e3 for of in zip(*calls, strict=True))
    say(name, cpu_ms=cpu, without_cpu_ms=cpu_without)


if __name__ == "__main__":
    main()
