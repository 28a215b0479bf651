"""The simulated factory goes on where it stopped."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitory.clock import KST, hour_of
from monitory.storage.s3 import S3Storage
from monitory_local import feed
from monitory_local.feed import MAX_DAYS, Feed
from monitory_local.simulator.wear import Plan

NOON = datetime(2026, 3, 10, 12, 30, tzinfo=KST)
START = hour_of(NOON) - 6
PLAN = Plan(START, machines=1, rate_seconds=300, life_days=60)


@contextmanager
def quiet(title: str, total: int) -> Iterator[Callable[[], None]]:
    yield lambda: None


@pytest.fixture
def storage(lake_bucket: str) -> S3Storage:
    return S3Storage(lake_bucket, region="ap-northeast-2")


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(feed, "now", lambda: moment)


def test_only_ended_hours_are_written_and_each_once(
    storage: S3Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "factory.json"
    at(monkeypatch, NOON)
    first = Feed.open(file, PLAN).catch_up(storage, "EQUIPMENT/", quiet)
    again = Feed.open(file, PLAN).catch_up(storage, "EQUIPMENT/", quiet)
    at(monkeypatch, NOON + timedelta(hours=2))
    later = Feed.open(file, Plan(0, seed=99)).catch_up(storage, "EQUIPMENT/", quiet)  # the file's plan counts
    lines = [line for entry in storage.list("EQUIPMENT") for line in storage.get(entry.key).body.split()]
    times = sorted({json.loads(line)["time"][:13] for line in lines})
    assert (first.objects >= 6, again.objects, later.objects >= 2) == (True, 0, True)
    assert times == [f"2026-03-10T{hour:02d}" for hour in range(6, 14)]


def test_after_a_long_rest_only_the_last_days_are_written(
    storage: S3Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, NOON + timedelta(days=400))
    rested = Feed(tmp_path / "factory.json", Plan(START, machines=1, rate_seconds=600), START)
    rested.catch_up(storage, "EQUIPMENT/", quiet)
    days = {entry.key.split("/")[1] for entry in storage.list("EQUIPMENT")}
    assert rested.until == hour_of(NOON) + 400 * 24
    assert min(days) >= f"date={(NOON + timedelta(days=400 - MAX_DAYS)).date()}"


def test_following_writes_the_hour_that_ended_and_survives_a_failing_store(
    storage: S3Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(feed, "_LOOK_SECONDS", 0.01)
    at(monkeypatch, NOON)
    factory = Feed(tmp_path / "factory.json", PLAN, START)
    broken = S3Storage("no-such-bucket", region="ap-northeast-2", retries=0)
    stop = threading.Event()
    calls: list[int] = []

    def catch_up(*arguments: object) -> None:
        calls.append(len(calls))
        if len(calls) == 1:
            Feed.catch_up(factory, broken, "EQUIPMENT/", quiet)
        else:
            Feed.catch_up(factory, storage, "EQUIPMENT/", quiet)
            stop.set()

    monkeypatch.setattr(factory, "catch_up", catch_up)
    factory.follow(storage, "EQUIPMENT/", quiet, stop)
    assert "the lake could not be written" in capsys.readouterr().out
    assert factory.until == hour_of(NOON)
