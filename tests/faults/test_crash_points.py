"""A retrain run that is killed before each of its writes, and what the next run makes of it."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from monitory.errors import NoModel
from monitory.features import failure_state
from monitory.registry.registry import MODEL_FILE, Registry
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import S3
from tests.faults.conftest import Ledger
from tests.support.mortal import Command
from tests.support.processes import Processes, answers
from tests.support.retraining import DAYS, REMEMBERED, faults_of, gaps_of, nightly
from tests.support.world import MODEL_KEY, REGION, fill_days, model_text

MOST_WRITES = 20


def _prepared(history: str, lake: str, models: str, file: Path, processes: Processes) -> list[dict[str, object]]:
    """Bring a model bucket to where a history begins; returns the event whose run is killed."""
    direct = S3Storage(models, region=REGION)
    failure_state.write(direct, REMEMBERED)
    if history == "the first model":
        return [nightly()]
    if history == "over a foreign model":
        direct.put(MODEL_KEY, model_text(0), content_type="text/plain")
        return [nightly()]
    before = {"over a model": 1, "promotion by hand": 2, "rollback": 3}[history]
    events = [nightly(f"before-{number}") for number in range(before)]
    assert processes.run(Command(lake, models, events, str(file), seed=50)) == 0
    if history == "over a model":
        return [nightly()]
    if history == "rollback":
        return [{"action": "rollback", "by": "ops"}]
    oldest = next(Registry(direct, MODEL_KEY).versions())
    return [{"action": "promote", "version": oldest, "by": "ops"}]


@pytest.mark.slow
@pytest.mark.parametrize(
    "history", ["the first model", "over a model", "over a foreign model", "promotion by hand", "rollback"]
)
def test_a_run_killed_before_any_write_is_finished_by_the_next(
    history: str, s3: S3, lake_bucket: str, processes: Processes, tmp_path: Path, ledger: Ledger
) -> None:
    fill_days(S3Storage(lake_bucket, region=REGION), DAYS[0], len(DAYS))
    found: Counter[str] = Counter()
    lost = []
    for write in range(1, MOST_WRITES):
        models = f"{history.replace(' ', '-')}-{write}-{lake_bucket[-6:]}"
        s3.ensure_buckets(models)
        direct = S3Storage(models, region=REGION)
        file = tmp_path / f"{write}.ndjson"
        events = _prepared(history, lake_bucket, models, file, processes)
        before = _state(direct)
        died = processes.run(Command(lake_bucket, models, events, str(file), dies_at=write))
        wrong = [*faults_of(direct)] if before != "a foreign model is served" or _is_ours(direct) else []
        state = _state(direct)
        assert processes.run(Command(lake_bucket, models, events, str(file))) == 0
        after = answers(file)[-1]
        wrong += [*gaps_of(direct)]
        if after["status"] in {"failed", "invalid", "refused"}:
            wrong.append(f"the next run answered {after}")
        if died and history == "rollback":
            registry = Registry(direct, MODEL_KEY)
            if registry.served().version != list(registry.versions())[1]:
                wrong.append(f"rolled back to {registry.served().version}")
        if died:
            found[state] += 1
            ledger.note("retrain killed", history, state, lost=bool(wrong))
        lost += [f"before write {write}, {state}: {fault}" for fault in wrong]
        if not died:
            break
    assert not lost
    assert found.total() == write - 1, "a process lived on"
    assert write > 3


@pytest.mark.slow
@pytest.mark.parametrize(("history", "served"), [("rollback", 1), ("promotion by hand", 0)])
def test_a_run_by_hand_killed_after_any_write_is_not_done_again_by_its_retry(
    history: str, served: int, s3: S3, lake_bucket: str, processes: Processes, tmp_path: Path, ledger: Ledger
) -> None:
    fill_days(S3Storage(lake_bucket, region=REGION), DAYS[0], len(DAYS))
    lost = []
    for write in range(1, MOST_WRITES):
        models = f"after-{history.replace(' ', '-')}-{write}-{lake_bucket[-6:]}"
        s3.ensure_buckets(models)
        direct = S3Storage(models, region=REGION)
        file = tmp_path / f"{write}.ndjson"
        events = _prepared(history, lake_bucket, models, file, processes)
        before = len(Registry(direct, MODEL_KEY).history())
        command = Command(lake_bucket, models, events, str(file), dies_after=write, request_id="the same")
        if not processes.run(command):
            break
        state = _state(direct)
        assert processes.run(msgspec.structs.replace(command, dies_after=0)) == 0
        registry = Registry(direct, MODEL_KEY)
        wrong = [*gaps_of(direct)]
        if registry.served().version != list(registry.versions())[served]:
            wrong.append(f"{registry.served().version} is served")
        if len(registry.history()) != before + 1:
            wrong.append(f"{len(registry.history()) - before} promotions were made")
        if answers(file)[-1]["version"] != registry.served().version:
            wrong.append(f"the next run answered {answers(file)[-1]}")
        ledger.note("retrain killed", f"{history}, its answer lost", state, lost=bool(wrong))
        lost += [f"after write {write}, {state}: {fault}" for fault in wrong]
    assert not lost
    assert write == 4, "of the model, the metrics and the record"


def _is_ours(models: S3Storage) -> bool:
    try:
        return Registry(models, MODEL_KEY).served().promotion is not None
    except NoModel:
        return True


def _state(models: S3Storage) -> str:
    """What a bucket looks like, in words."""
    registry = Registry(models, MODEL_KEY)
    try:
        served = registry.served()
    except NoModel:
        return "a version without a model" if _unfinished(models) else "nothing served"
    if not served.promotion:
        return "a foreign model is served"
    if served.promotion not in registry.history():
        return "promoted, but not recorded"
    if _unfinished(models):
        return "a version without a model"
    stored = list(registry.versions())
    return "stored, not promoted" if stored[-1] > served.promotion.version else "promoted and recorded"


def _unfinished(models: S3Storage) -> bool:
    folders = {entry.key.rpartition("/")[0] for entry in models.list("models")} - {"models/latest"}
    complete = {entry.key.rpartition("/")[0] for entry in models.list("models") if entry.key.endswith(MODEL_FILE)}
    return bool(folders - complete)
