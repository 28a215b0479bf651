"""The retrain function with its learning replaced: everything that touches the store is real, and quick."""

import dataclasses
import hashlib
from collections.abc import Iterator
from datetime import date
from itertools import pairwise

import msgspec
import pytest

from monitory.errors import NoModel, StorageError
from monitory.features import failure_state
from monitory.features.failure_state import FailureState
from monitory.model.card import decode_card
from monitory.registry.registry import CARD_FILE, METRICS_FILE, MODEL_FILE, Registry
from monitory.settings import RetrainSettings
from monitory.storage.port import Storage
from monitory_retrain import bootstrap, pipeline, report
from monitory_retrain.evaluation import verdict
from monitory_retrain.evaluation.verdict import Verdict
from monitory_retrain.job import Job, JobResult
from monitory_retrain.pipeline import Challenger
from tests.support import reports
from tests.support.registries import KEY

DAYS = (date(2026, 11, 18), date(2026, 11, 19))
REMEMBERED = FailureState(None, {"ZONE-001/EQUIP-900": 400_000})
"""A failure before the range, of which nothing but the failure state tells."""

EVENT_ID = "7bf73129-1428-4cd3-a780-95db273d1602"


def challenger(seed: int = 0) -> Challenger:
    """What learning finds; every seed gives another model text."""
    found = reports.challenger()
    text = found.trained.text.replace("[seed: ", f"[seed: {seed}", 1) if seed else found.trained.text
    assert not seed or text != found.trained.text
    scores = msgspec.structs.replace(found.scores, mae=found.scores.mae + seed * 1e-6)
    fit = dataclasses.replace(found.fit, trained=dataclasses.replace(found.trained, text=text))
    return dataclasses.replace(found, scores=scores, fit=fit)


def nightly(run: str = EVENT_ID) -> dict[str, object]:
    """The scheduled event of a night whose range is `DAYS`."""
    return {"detail-type": "Scheduled Event", "source": "aws.events", "id": run, "time": "2026-11-19T15:00:00Z"}


def settings(lake: str, models: str) -> RetrainSettings:
    """Two days, whatever they hold."""
    return RetrainSettings(
        s3_input_data_bucket_name=lake,
        s3_model_bucket_name=models,
        training_days=len(DAYS),
        log_level="CRITICAL",
    )


def learns(monkeypatch: pytest.MonkeyPatch, found: Challenger) -> None:
    """Let learning find a challenger that deserves promotion, without training one."""
    monkeypatch.setattr(pipeline, "learn", lambda *args, **kwargs: found)
    monkeypatch.setattr(verdict, "first", lambda *args: Verdict(True, ("the first",)))
    monkeypatch.setattr(verdict, "against", lambda *args, **kwargs: Verdict(True, ("better",)))
    monkeypatch.setattr(report, "render", lambda findings: b"<!doctype html><title>report</title>")


def run(job: Job, event: object, request_id: str | None = None) -> JobResult:
    """What the handler answers, with all the time there is."""
    return bootstrap.handle(job, event, lambda: 900.0, request_id)


def faults_of(models: Storage) -> Iterator[str]:
    """What is wrong with a model bucket, whoever left it so and wherever: nothing half-written may be served."""
    registry = Registry(models, KEY)
    try:
        served = registry.served()
    except NoModel:
        return
    if served.promotion is None or not served.verified:
        yield "what is served is not what was promoted"
        return
    version = served.promotion.version
    if version not in set(registry.versions()):
        yield f"{version} is served and not stored"
        return
    if registry.read(version, MODEL_FILE) != served.blob.body:
        yield f"{version} is stored with another text"
    card = decode_card(registry.read(version, CARD_FILE))
    if card.sha256 != hashlib.sha256(served.blob.body).hexdigest() or card.version != version:
        yield f"the card of {version} is of another model"


def gaps_of(models: Storage) -> Iterator[str]:
    """What is unfinished in a model bucket after a run that went well."""
    registry = Registry(models, KEY)
    yield from faults_of(models)
    history = registry.history()
    if [promotion.number for promotion in history] != list(range(1, len(history) + 1)):
        yield f"the history counts {[promotion.number for promotion in history]}"
    for before, after in pairwise(history):
        if after.replaced != before.version:
            yield f"promotion {after.number} replaced {after.replaced}, {before.version} was served"
    try:
        served = registry.served()
    except NoModel:
        if history:
            yield "there is a history and no model"
        return
    if not history or history[-1].version != served.version:
        yield f"the history ends without {served.version}"
    try:
        last = failure_state.read(models).state.last
    except StorageError as exc:
        yield str(exc)
        return
    found = {str(owner): hour for owner, hour in challenger().labels.last_hours.items()}
    for machine, hour in {**REMEMBERED.last, **found}.items():
        if last.get(machine) != hour:
            yield f"the last failure of {machine} was {hour}, now it is {last.get(machine)}"
    if models.get(registry.metrics_key).body != registry.read(str(served.version), METRICS_FILE):
        yield "the metrics are of another version"
