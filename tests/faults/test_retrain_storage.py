"""Every fault of the store at every operation of the retrain function."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from monitory.errors import MonitoryError
from monitory.features import failure_state
from monitory.logbook.logbook import Logbook
from monitory.registry.registry import Registry
from monitory.storage.s3 import S3Storage
from monitory_retrain import bootstrap, pipeline
from monitory_retrain.pipeline import Challenger
from tests.faults.conftest import Ledger
from tests.support import proxy_faults as faults
from tests.support.proxy import Failing, Fault, Proxy
from tests.support.retraining import DAYS, REMEMBERED, challenger, faults_of, gaps_of, learns, nightly, run, settings
from tests.support.world import MODEL_KEY, REGION, fill_days

SERVED = "^models/latest/lgbm"
OPERATIONS = {
    "run read": ("GET", "^runs/"),
    "served model read": ("GET", SERVED),
    "record read": ("GET", "^promotions/"),
    "lake listing": ("LIST", "^EQUIPMENT"),
    "lake object": ("GET", "^EQUIPMENT"),
    "pieces listing": ("LIST", "^cache/backfill"),
    "hour rows read": ("GET", "^cache/hour-rows"),
    "hour rows write": ("PUT", "^cache/hour-rows"),
    "failure state read": ("GET", "^state/"),
    "champion's card read": ("GET", r"^models/20.*card\.json"),
    "version listing": ("LIST", "^models"),
    "version write": ("PUT", r"^models/20.*(card|metrics|verdict)\.json"),
    "model write": ("PUT", r"^models/20.*model\.txt"),
    "stored model read": ("GET", r"^models/20.*model\.txt"),
    "record listing": ("LIST", "^promotions"),
    "promotion": ("PUT", SERVED),
    "metrics write": ("PUT", "^models/latest/metrics"),
    "record write": ("PUT", "^promotions/"),
    "failure state write": ("PUT", "^state/"),
    "run write": ("PUT", "^runs/"),
}
GONE = "404"
"""An object that is gone since it was listed is no fault; a day of which nothing is left is told."""

ZEROS = "half a body of zeros"
"""Nothing but the readings themselves tells that an object was damaged so; its lines are told as rejected."""

BIT = "one bit wrong"
SEALED = {"served model read", "failure state read", "champion's card read", "stored model read"}
"""Reads of objects whose hash is known; of others only the store's own checksum tells."""

ALWAYS: dict[str, Fault] = {
    "connection reset": faults.reset,
    "503 SlowDown": faults.slow_down,
    "403": faults.forbidden,
    "409": faults.conflict,
    "412": faults.precondition,
    GONE: faults.not_found,
    "body cut short": faults.truncated,
    "half a body, right length": faults.halved,
    ZEROS: faults.zeroed,
    BIT: faults.flipped,
    "silence": faults.silent,
}
ONCE: dict[str, Fault] = {
    "done, but the answer is lost": faults.reset_after,
    "done, but answered 500": faults.error_after,
    "500 once": faults.internal_error,
    "wrong ETag once": faults.wrong_etag,
    "clock a day ahead once": faults.skewed,
}
FAULTS = {**ALWAYS, **ONCE}
SOON = {"connection reset", "half a body, right length", "done, but answered 500"}


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No metrics among the output."""
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")


@contextmanager
def hasty(name: str) -> Iterator[None]:
    """Clients that give up soon, as long as the fault of this name is on: what follows runs as on any day.

    Only silence needs a short timeout: a busy machine may answer a sound request later than that.
    """

    class Hasty(S3Storage):
        def __init__(self, bucket: str, *, region: str) -> None:
            timeout = 0.5 if name == "silence" else 10.0
            super().__init__(bucket, region=region, timeout_seconds=timeout, retry_seconds=0.4, retries=2)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "S3Storage", Hasty)
        patch.setattr("monitory_retrain.ingest.lake_config.S3Storage", Hasty)
        patch.setattr("monitory.storage.s3._CONFLICT_PAUSES", (0.05, 0.05))
        yield


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SOON else pytest.mark.slow) for name in FAULTS]
)
def test_retrain_keeps_its_word(
    name: str,
    lake_bucket: str,
    model_bucket: str,
    proxy: Proxy,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    direct = S3Storage(model_bucket, region=REGION)
    readings = fill_days(S3Storage(lake_bucket, region=REGION), DAYS[0], len(DAYS))
    failure_state.write(direct, REMEMBERED)
    job = bootstrap.build_job(settings(lake_bucket, model_bucket))
    with hasty(name):
        struck_job = bootstrap.build_job(settings(lake_bucket, model_bucket))
    learns(monkeypatch, challenger())
    assert run(job, nightly("first"))["promoted"]
    lost = []
    for number, (operation, (verb, key)) in enumerate(OPERATIONS.items(), 1):
        if name == BIT and operation not in SEALED:
            continue
        learns(monkeypatch, challenger(number))
        if operation in {"hour rows write", "lake object"}:
            _forget(direct)
        with hasty(name), proxy.failing(FAULTS[name], verb, key, times=1 if name in ONCE else 1e9) as failing:
            seen, named = _struck(failing, partial(_attempt, struck_job, nightly(f"run-{number}")))
        wrong = [*faults_of(direct)]
        again = run(job, nightly(f"run-{number}"))
        wrong += [*gaps_of(direct)]
        data = again["data"]
        told = (
            data["days_without_data"] if name == GONE else data["rejected"].get("not_json") if name == ZEROS else None
        )
        if again["status"] not in {"trained", "unchanged"} or not (data["readings"] == readings or told):
            wrong.append(f"the next run answered {again}")
        if seen == "an error" and not named:
            wrong.append("the error names no object")
        if not failing.struck:
            wrong.append("never struck")
        ledger.note("retrain", name, seen + (" that names the object" if seen == "an error" else ""), lost=bool(wrong))
        lost += [f"{operation}: {seen}: {fault}" for fault in wrong]
    assert not lost


BY_HAND = {
    name: OPERATIONS[name]
    for name in (
        "served model read",
        "record read",
        "record listing",
        "stored model read",
        "promotion",
        "metrics write",
        "record write",
    )
} | {
    "card read": OPERATIONS["champion's card read"],
    "stored metrics read": ("GET", r"^models/20.*metrics\.json"),
    "metrics read": ("GET", "^models/latest/metrics"),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SOON else pytest.mark.slow) for name in FAULTS]
)
def test_promotions_and_rollbacks_by_hand_are_made_once_or_not_at_all(
    name: str,
    lake_bucket: str,
    model_bucket: str,
    proxy: Proxy,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    direct = S3Storage(model_bucket, region=REGION)
    fill_days(S3Storage(lake_bucket, region=REGION), DAYS[0], len(DAYS))
    failure_state.write(direct, REMEMBERED)
    job = bootstrap.build_job(settings(lake_bucket, model_bucket))
    with hasty(name):
        struck_job = bootstrap.build_job(settings(lake_bucket, model_bucket))
    for number in range(2):
        learns(monkeypatch, challenger(number))
        assert run(job, nightly(f"run-{number}"))["promoted"]
    registry = Registry(direct, MODEL_KEY)
    *_, first, second = registry.versions()
    lost = []
    for operation, (verb, key) in BY_HAND.items():
        if name == BIT and operation not in SEALED:
            continue
        for action in ("promote", "rollback"):
            before, made = registry.served().version, len(registry.history())
            event = {"action": action, "by": "ops"}
            event |= {"version": second if before == first else first} if action == "promote" else {}
            wanted = event.get("version") or registry.rollback_target()
            request_id = f"{action}: {operation}"
            with hasty(name), proxy.failing(FAULTS[name], verb, key, times=1 if name in ONCE else 1e9) as failing:
                seen, named = _struck(failing, partial(_attempt, struck_job, event, request_id))
            wrong = [*faults_of(direct)]
            if seen == "an error":  # which Lambda takes for a reason to try again
                answer = run(job, event, request_id)
                if answer["version"] != wanted:
                    wrong.append(f"the retry answered {answer}")
            served, count = registry.served().version, len(registry.history()) - made
            if (served, count) != ((before, 0) if seen == "refused" else (wanted, 1)):
                wrong.append(f"{served} after {before}, {count} promotions")
            registry.repair()  # as any next run would: the metrics that people look at may be damaged until then
            wrong += [*gaps_of(direct)]
            if not named:
                wrong.append("the error names no object")
            if not failing.struck:
                wrong.append("never struck")
            ledger.note(
                "by hand", name, seen + (" that names the object" if seen == "an error" else ""), lost=len(wrong)
            )
            lost += [f"{request_id}: {seen}: {fault}" for fault in wrong]
    assert not lost


FAILURE_LOG = "failures.ndjson"
UNTOLD = {"half a body, right length", ZEROS, BIT}
"""What a log says that was damaged so can't be known; lines that make no sense are counted."""


@pytest.mark.parametrize("name", sorted(set(FAULTS) - UNTOLD))
def test_a_failure_log_is_learnt_from_whole_or_not_at_all(
    name: str,
    lake_bucket: str,
    model_bucket: str,
    proxy: Proxy,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lake = S3Storage(lake_bucket, region=REGION)
    fill_days(lake, DAYS[0], len(DAYS))
    lines = [f'{{"equipId": "EQUIP-{number:03d}", "time": "2026-11-18T10:00:00"}}' for number in range(200)]
    lake.put(FAILURE_LOG, "\n".join(lines).encode(), content_type="application/x-ndjson")
    with_log = settings(lake_bucket, model_bucket).model_copy(update={"failure_log_key": FAILURE_LOG})
    job = bootstrap.build_job(with_log)
    with hasty(name):
        struck_job = bootstrap.build_job(with_log)
    learns(monkeypatch, challenger())
    learnt: list[int] = []

    def learn(*args: object, logbook: Logbook, **kwargs: object) -> Challenger:
        learnt.append(logbook.counts["failure"])
        return challenger()

    monkeypatch.setattr(pipeline, "learn", learn)
    with hasty(name), proxy.failing(FAULTS[name], "GET", FAILURE_LOG, times=1 if name in ONCE else 1e9) as failing:
        seen, named = _struck(failing, partial(_attempt, struck_job, nightly()))
    again = run(job, nightly())
    lost = not (named and failing.struck and again["status"] == "trained" and set(learnt) == {len(lines)})
    ledger.note("failure log", name, seen + (" that names the object" if seen == "an error" else ""), lost=lost)
    assert not lost, (seen, again, learnt)


def _attempt(job: Any, event: object, request_id: str | None = None) -> tuple[str, bool]:
    """What a run did, and whether an error names the object."""
    try:
        answer = run(job, event, request_id)
    except MonitoryError as exc:
        return "an error", "s3://" in str(exc) or "version 20" in str(exc)
    return f"{answer['status']}{', promoted' if answer.get('promoted') else ''}", True


def _struck(failing: Failing, attempt: Callable[[], tuple[str, bool]]) -> tuple[str, bool]:
    """An attempt that came to the fault: a busy store may answer too late for a hasty client before that."""
    for _ in range(5):
        seen = attempt()
        if failing.struck:
            break
    return seen


def _forget(models: S3Storage) -> None:
    """Damage what is known of the days, so that their objects are read again."""
    for entry in list(models.list("cache/hour-rows")):
        models.put(entry.key, b"damaged", content_type="application/octet-stream")
