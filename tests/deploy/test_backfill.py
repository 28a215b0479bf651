"""A backfill by the real state machine: batches killed, poisoned, delivered twice, aborted, and no row is lost."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from monitory import sensors
from monitory.clock import days_between, now
from monitory.log import logger
from monitory.machine import Machine
from monitory.settings import Settings
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import S3
from monitory_retrain.ingest.cache.day_cache import FOLDER, PIECES
from monitory_retrain.ingest.ingest import Ingest
from monitory_retrain.ingest.lake_config import LakeConfig
from tests.deploy.conftest import DAYS, LAKE
from tests.support.deploy.deployment import EXECUTION_SECONDS, Stack, output_of, wait_for
from tests.support.deploy.emulator import REGION

APART = "apart"


@pytest.fixture(scope="module")
def days(machines: list[Machine]) -> list[date]:
    """The finished days of the lake."""
    today = now().date()
    return days_between(today - timedelta(days=DAYS - 1), today - timedelta(days=1))


@pytest.fixture(scope="module")
def poisoned(stack: Stack, machines: list[Machine], days: list[date]) -> Iterator[str]:
    """An object of the lake in which nothing is readable; it is gone afterwards."""
    lake = stack.account.bucket(LAKE)
    folder = f"EQUIPMENT/date={days[1]}/zone_id={machines[0].zone_id}/equip_id={machines[0].equip_id}"
    lake.put_object(Key=f"{folder}/equip-poison.json", Body=b"\x00 nothing \xff\n" * 99)
    yield f"{folder}/equip-poison.json"
    lake.objects.filter(Prefix=f"{folder}/equip-poison.json").delete()


@pytest.fixture(scope="module")
def models(stack: Stack) -> Any:
    """The model bucket."""
    return stack.account.bucket(stack.outputs["ModelBucketName"])


@pytest.fixture(autouse=True)
def forgotten(models: Any) -> Iterator[None]:
    """No rows are kept before a test, and none of its own afterwards."""
    _forget(models)
    yield
    _forget(models)


def _forget(models: Any) -> None:
    for prefix in (PIECES, FOLDER):
        models.objects.filter(Prefix=f"{prefix}/").delete()


def test_a_backfill_reads_in_batches_what_one_process_would(
    stack: Stack, models: Any, days: list[date], poisoned: str
) -> None:
    execution = start(stack, {"action": "plan", "start": str(days[0]), "end": str(days[-1])})
    wait_for_a_piece(stack, models, execution)
    stack.account.emulator.end_functions()  # whatever batches are being read
    planned = output_of(stack, execution)
    assert (planned["status"], planned["distribute"], planned["after"]) == ("planned", True, None)
    (counts,) = map_runs(stack, execution)
    assert (counts["total"], counts["succeeded"]) == (planned["batches"], planned["batches"])
    assert planned["batches"] == 3 * len(days)
    assert len(pieces(models)) == planned["batches"]

    before = pieces(models)
    lines = models.Object(planned["key"]).get()["Body"].read()
    for line in lines.splitlines()[:2]:
        again = stack.read(json.loads(line))
        assert (again["status"], again["data"]["objects_read"]) == ("read", 0), "delivered twice"
    assert pieces(models) == before

    unreadable = []
    for first, last in zip(days[::2], [*days[1::2], days[-1]], strict=False):
        night = stack.invoke_retrain({"start": str(first), "end": str(last)})
        assert (night["status"], night["data"]["objects_read"]) == ("skipped", 0), night
        unreadable += night["data"]["unreadable"]
    assert [message for message in unreadable if poisoned in message]
    assert kept(models) == read_by_one_process(stack, days)


def test_after_an_abort_the_next_execution_reads_the_rest(stack: Stack, models: Any, days: list[date]) -> None:
    event = {"action": "plan", "start": str(days[0]), "end": str(days[-1])}
    states = stack.account.client("stepfunctions")
    execution = start(stack, event)
    wait_for_a_piece(stack, models, execution)
    states.stop_execution(executionArn=execution, error="Aborted", cause="to see what is left")
    assert states.describe_execution(executionArn=execution)["status"] == "ABORTED"
    first, second = set(pieces(models)), start(stack, event)
    assert output_of(stack, second)["status"] in {"planned", "nothing"}
    assert len(pieces(models)) == 3 * len(days)
    assert first <= pieces(models).keys()
    assert output_of(stack, start(stack, event))["status"] == "nothing"


def start(stack: Stack, event: dict[str, Any]) -> str:
    states = stack.account.client("stepfunctions")
    arn: str = states.start_execution(stateMachineArn=stack.outputs["RetrainLoopArn"], input=json.dumps(event))[
        "executionArn"
    ]
    return arn


def map_runs(stack: Stack, execution: str) -> list[dict[str, int]]:
    """How many items of each map run of an execution ended in which way."""
    states = stack.account.client("stepfunctions")
    runs = states.list_map_runs(executionArn=execution)["mapRuns"]
    return [states.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"] for run in runs]


def wait_for_a_piece(stack: Stack, models: Any, execution: str) -> None:
    """Wait until a batch of an execution is read."""
    states = stack.account.client("stepfunctions")

    def look() -> object:
        described = states.describe_execution(executionArn=execution)
        found = pieces(models)
        assert found or described["status"] == "RUNNING", f"it ended without a piece: {described}"
        return found or None

    wait_for("piece", look, stack.account.emulator, EXECUTION_SECONDS)


def pieces(models: Any) -> dict[str, str]:
    """The pieces of days that batches have stored: their keys and ETags."""
    found = models.objects.filter(Prefix=f"{PIECES}/")
    return {item.key: item.e_tag for item in found if item.key.endswith(".parquet")}


def kept(models: Any) -> dict[str, bytes]:
    """The stored days."""
    return {item.key: item.get()["Body"].read() for item in models.objects.filter(Prefix=f"{FOLDER}/")}


def read_by_one_process(stack: Stack, days: list[date]) -> dict[str, bytes]:
    """What a process stores that reads the lake's days alone."""
    stack.account.make_bucket(APART)
    with S3(stack.account.emulator.endpoint, stack.account.environment).active():
        config = LakeConfig(LAKE, REGION, "EQUIPMENT/", sensors.load())
        storage = S3Storage(APART, region=REGION)
        ingest = Ingest(config, storage, logger("test", Settings(log_level="ERROR")), processes=1)
        assert ingest.days(days, refresh=None, in_time=lambda: True).left == []
        return {entry.key: storage.get(entry.key).body for entry in storage.list(FOLDER)}
