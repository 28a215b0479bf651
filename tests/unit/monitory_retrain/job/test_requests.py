"""Promotions and rollbacks that are requested, and delivered again."""

import importlib
import sys

import msgspec
import pytest

from monitory.registry.registry import CARD_FILE, MODEL_FILE, Registry
from monitory_local.lambdas import LocalContext
from monitory_retrain import bootstrap
from monitory_retrain.job import Job, JobResult
from tests.support.models import card, small_text
from tests.support.registries import A, B, C, promote


@pytest.fixture
def three(job: Job) -> Registry:
    """A registry in which three versions were promoted."""
    for number, version in enumerate((A, B, C)):
        made = msgspec.json.encode(card(version))
        files = {MODEL_FILE: (small_text(number), "text/plain"), CARD_FILE: (made, "application/json")}
        job.registry.store(version, files)
        promote(job.registry, version)
    return job.registry


def ask(job: Job, event: dict[str, str], request_id: str | None) -> JobResult:
    return bootstrap.handle(job, event, lambda: 900.0, request_id)


BACK = {"action": "rollback", "reason": "worse"}


def test_a_rollback_that_is_delivered_twice_goes_back_once(job: Job, three: Registry) -> None:
    first = ask(job, BACK, "one")
    assert first == {"status": "rolled back", "version": B, "replaced": C, "promotion": 4}
    assert ask(job, BACK, "one") == first
    assert three.served().version == B
    assert ask(job, BACK, "two")["version"] == A
    assert ask(job, BACK, "one") == first
    assert three.served().version == A
    assert len(three.history()) == 5


def test_without_a_request_each_rollback_goes_back(job: Job, three: Registry) -> None:
    assert [ask(job, BACK, None)["version"] for _ in range(2)] == [B, A]


def test_a_promotion_that_is_delivered_again_after_another_does_not_undo_it(job: Job, three: Registry) -> None:
    first = ask(job, {"action": "promote", "version": A}, "one")
    assert (first["status"], first["version"]) == ("promoted", A)
    ask(job, {"action": "promote", "version": B}, "two")
    assert ask(job, {"action": "promote", "version": A}, "one") == first
    assert three.served().version == B


def test_the_handler_passes_the_request_on(job: Job, three: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "build_job", lambda settings: job)
    monkeypatch.setitem(sys.modules, "monitory_retrain.handler", None)  # what is imported now is forgotten afterwards
    del sys.modules["monitory_retrain.handler"]
    handler = importlib.import_module("monitory_retrain.handler")
    context = LocalContext("retrain", 900.0)
    assert handler.lambda_handler(BACK, context) == handler.lambda_handler(BACK, context)
    assert three.promotion_of(context.aws_request_id) == three.history()[-1]
