"""Memory is bounded, whatever lies in the lake."""

import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitory.errors import ObjectTooLarge, StorageUnavailable, UnreadableObject
from monitory.readings.by_hour import ReadingsByHour
from monitory.sensors import load
from monitory.storage.s3 import S3Storage
from tests.faults.conftest import Ledger
from tests.support import proxy_faults as faults
from tests.support.proxy import Answer, Exchange, Fault, Proxy
from tests.support.samples import SOURCE
from tests.support.world import REGION

ROOT = Path(__file__).resolve().parents[2]
PREDICT_MEMORY_MB = 1024
MEGABYTE = 1 << 20


@pytest.mark.slow
@pytest.mark.parametrize(("lines", "least"), [("usual", 2_500_000), ("short", 4_500_000), ("mixed", 4_500_000)])
def test_the_largest_legal_object_is_read_within_the_functions_memory(lines: str, least: int, ledger: Ledger) -> None:
    paths = [ROOT, *(ROOT / name for name in ("layers/shared", "functions/predict", "functions/retrain", "local"))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [sys.executable, "-m", "tests.support.largest", lines]
    ended = subprocess.run(command, capture_output=True, env=environment, cwd=ROOT, check=True)
    found = json.loads(ended.stdout)
    note = f"{found['readings']:,} readings within {found['peak_mb']} MB"
    ledger.note("lake", f"object of 512 MB, {lines} lines", note)
    assert found["hours"] == 1
    assert found["readings"] > least
    assert found["peak_mb"] < PREDICT_MEMORY_MB * 0.5


BOMBS = {
    "a line of 100 MB": b'{"zoneId":"' + b"A" * MEGABYTE,
    "brackets, 100 MB": b"[" * MEGABYTE,
    "braces, 100 MB": b'{"a":' * (MEGABYTE // 5),
    "blank lines, 100 MB": b"\n" * MEGABYTE,
    "digits, 100 MB": b"9" * MEGABYTE,
    "zeros, 100 MB": bytes(MEGABYTE),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_bounded_and_named(name: str, ledger: Ledger) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield BOMBS[name]

    tracemalloc.start()
    readings = ReadingsByHour(load())
    with pytest.raises(UnreadableObject, match=r"an-object\.json"):
        readings.add(SOURCE, chunks())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    ledger.note("lake", f"bomb: {name}", "unreadable, named", lost=peak > 40 * MEGABYTE)
    assert peak < 40 * MEGABYTE


def test_an_object_that_is_too_large_for_memory_is_not_read(proxy: Proxy, lake_bucket: str, ledger: Ledger) -> None:
    S3Storage(lake_bucket, region=REGION).put("a/large", b"x", content_type="text/plain")
    storage = S3Storage(lake_bucket, region=REGION)
    with proxy.failing(_claims(5 << 30)), pytest.raises(ObjectTooLarge, match="a/large"):
        storage.get("a/large")
    ledger.note("storage", "object of 5 GB under a key of ours", "refused unread, named")
    assert storage.get("a/large").body == b"x"


def test_compressed_bodies_are_not_unpacked(proxy: Proxy, lake_bucket: str, ledger: Ledger) -> None:
    """A Content-Encoding that nobody asked for is none of ours to undo: 1 MB of it could be 1 GB of text."""
    S3Storage(lake_bucket, region=REGION).put("a/b", b"\x1f\x8b" + b"x" * 100, content_type="text/plain")

    def compressed(exchange: Exchange) -> None:
        answer = exchange.forward()
        exchange.answer(answer._replace(headers={**answer.headers, "Content-Encoding": "gzip"}))

    with proxy.failing(compressed):
        blob = S3Storage(lake_bucket, region=REGION).get("a/b")
    ledger.note("storage", "compressed body", "bytes as they are")
    assert blob.body == b"\x1f\x8b" + b"x" * 100


def _claims(size: int) -> Fault:
    def fault(exchange: Exchange) -> None:
        answer = exchange.forward()
        exchange.answer(Answer(200, answer.headers, b"x"), length=size)
        exchange.hang(1)

    return fault


def test_a_listing_longer_than_a_page_that_breaks_is_no_shorter_listing(
    proxy: Proxy, lake_bucket: str, ledger: Ledger
) -> None:
    storage = S3Storage(lake_bucket, region=REGION)
    for number in range(3):
        storage.put(f"a/{number}", b"x", content_type="text/plain")
    with proxy.failing(faults.halved, "LIST"), pytest.raises(StorageUnavailable):
        list(storage.list("a"))
    ledger.note("storage", "half a listing", "an error that names the folder")
    assert len(list(storage.list("a"))) == 3
