"""Events that are delivered: by whom, twice, and refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from monitory.errors import ModelError
from monitory_retrain.job import Job, JobResult
from tests.support.registries import A, B, C
from tests.support.retrain.events import BACK, JUNE, MONTH, Json, bus, sns, sqs
from tests.support.retrain.jobs import RecordingIngest

EVENTS = Path(__file__).parents[4] / "events"
EXAMPLES = {
    "retrain-nightly": "skipped",
    "retrain-month": "skipped",
    "retrain-range": "skipped",
    "rollback": "rolled back",
    "rollback-bus": "rolled back",
    "promote": "refused",  # there is no such version here
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_understood(name: str, invoke: Callable[[object], JobResult]) -> None:
    assert invoke(json.loads((EVENTS / f"{name}.json").read_text()))["status"] == EXAMPLES[name]


def test_a_refused_rollback_that_was_delivered_raises(invoke: Callable[[object], JobResult], job: Job) -> None:
    for _ in range(2):
        invoke(BACK)
    with pytest.raises(ModelError, match="no earlier model"):
        invoke(bus(BACK))
    assert job.registry.served().version == A


@pytest.mark.parametrize("wrap", [bus, sqs, sns])
def test_an_event_that_is_delivered_twice_is_done_once(
    wrap: Callable[[object], Json], invoke: Callable[[object], JobResult], job: Job, ingest: RecordingIngest
) -> None:
    assert invoke(wrap(BACK)) == invoke(wrap(BACK))
    assert job.registry.served().version == B
    assert invoke(wrap(MONTH))["status"] == "skipped"
    assert invoke(wrap(MONTH))["repeated"]
    assert ingest.asked == [JUNE]


def test_who_put_an_event_on_the_bus_is_recorded(invoke: Callable[[object], JobResult], job: Job) -> None:
    invoke(bus(BACK))
    assert job.registry.history()[-1].by == "factory.ops"
    invoke({"action": "promote", "version": C})
    assert job.registry.history()[-1].by == "event"
    invoke(bus({"action": "promote", "version": A, "by": "me"}, id="another"))
    assert job.registry.history()[-1].by == "me"
