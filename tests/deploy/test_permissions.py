"""Each statement of a role is needed: without it a route or an event fails, or a service could not do its part."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from monitory.alerts import store
from monitory.clock import now
from monitory.logbook import records
from monitory.machine import Machine
from monitory.scoring import fleet, trends
from monitory_retrain.ingest.cache import day_cache
from tests.deploy.test_lifecycle import HEALTH, MODELS, PREDICT
from tests.support.deploy import permissions
from tests.support.deploy.deployment import Stack

PERFORMANCE = "/api/v1/performance"
SCORED = "cache/recent/", "predictions/", fleet.FOLDER, trends.FOLDER, store.FOLDER, records.INDEX.key


@pytest.fixture(scope="module")
def serving(stack: Stack, machines: list[Machine]) -> Machine:
    """A machine of a stack that serves one of at least two versions: what the lifecycle leaves."""
    assert len(stack.get(MODELS).body["versions"]) >= 2
    return machines[0]


def test_every_statement_is_needed(stack: Stack, serving: Machine) -> None:
    assert list(_failures(stack, serving, "PredictRole")) == []
    assert list(_failures(stack, serving, "ScoreRole")) == []
    assert list(_failures(stack, serving, "RetrainRole")) == []
    assert list(_failures(stack, serving, "ReadRole")) == []
    assert permissions.UNENFORCED.keys() <= permissions.statements(stack).keys()
    needless = []
    for (role, sid), statement in permissions.statements(stack).items():
        with permissions.without(stack, role, sid):
            if unenforced := permissions.UNENFORCED.get((role, sid)):
                resources = statement["Resource"]
                resource = resources if isinstance(resources, str) else resources[0]
                needed = not permissions.allowed(stack, role, unenforced.action, resource)
                seen = f"(simulated) {unenforced.action} is denied: {unenforced.reason}"
            else:
                seen = next(_failures(stack, serving, role), "")
                needed = bool(seen)
        permissions.SEEN.append(f"{role}.{sid}: {seen or 'nothing'}")
        if not needed:
            needless.append((role, sid))
    assert needless == []
    assert list(_failures(stack, serving, "RetrainRole")) == []


def _failures(stack: Stack, machine: Machine, role: str) -> Iterator[str]:
    """What does not work, of everything that the role's function does."""
    stack.account.emulator.end_functions()
    if role == "PredictRole":
        yield from _predict_failures(stack, machine)
    elif role == "ScoreRole":
        yield from _score_failures(stack)
    elif role == "ReadRole":
        yield from _read_failures(stack, machine)
    else:
        yield from _retrain_failures(stack)


def _predict_failures(stack: Stack, machine: Machine) -> Iterator[str]:
    """What fails where nothing is scored, so that predict computes."""
    _forget_scores(stack)
    for path, query, expected in (
        (HEALTH, {}, 200),
        (PREDICT, {"zoneId": machine.zone_id, "equipId": machine.equip_id}, 200),
        (PREDICT, {"zoneId": machine.zone_id, "equipId": "EQUIP-404"}, 404),
        (MODELS, {}, 200),
    ):
        answer = stack.get(path, **query)
        if answer.status != expected:
            yield f"GET {path} {answer.status} {answer.body['detail']}"
    answer = stack.record(machine, uuid4().hex)
    if answer.status != 201:
        yield f"a record {answer.status} {answer.body['detail']}"
    answer = stack.get(PERFORMANCE)
    if answer.status not in (200, 404):  # whether a retrain has measured anything by now or not
        yield f"GET {PERFORMANCE} {answer.status} {answer.body['detail']}"
    versions = stack.get(MODELS).body.get("versions")
    if versions:
        report = stack.get(f"{MODELS}/{versions[0]['version'].replace('/', '-')}/report")
        if report.status != 200:
            yield f"GET {MODELS}/…/report {report.status}"


def _score_failures(stack: Stack) -> Iterator[str]:
    """What is missing after a run that finds nothing kept."""
    bucket = _forget_scores(stack)
    answer = stack.score()
    if answer.get("status") != "scored" or answer["failed"] or not answer["logged"]:
        yield f"scoring: {answer.get('errorMessage') or answer}"
    for prefix in SCORED:
        if not list(bucket.objects.filter(Prefix=prefix)):
            yield f"nothing is kept under {prefix}"


def _forget_scores(stack: Stack) -> Any:
    """Delete all that scoring keeps; the bucket."""
    bucket = stack.account.bucket(stack.outputs["ModelBucketName"])
    for prefix in SCORED:
        bucket.objects.filter(Prefix=prefix).delete()
    return bucket


def _read_failures(stack: Stack, machine: Machine) -> Iterator[str]:
    """What fails of a batch that nobody has read."""
    bucket = _forget_scores(stack)
    bucket.objects.filter(Prefix=day_cache.PIECES).delete()
    batch = {"day": str(now().date() - timedelta(days=1)), "machines": [list(machine)]}
    answer = stack.read(batch)
    if answer.get("status") != "read" or not answer["data"]["objects_read"]:
        yield f"a batch: {answer.get('errorMessage') or answer}"


def _retrain_failures(stack: Stack) -> Iterator[str]:
    _forget_scores(stack)
    yesterday = str(now().date() - timedelta(days=1))
    listed = stack.get(MODELS)
    assert listed.status == 200, listed
    versions = listed.body["versions"]
    other = next(version["version"] for version in versions if not version["served"])
    for what, event, expected in (
        # a day is too little to learn from, and it is read anew
        ("a retrain", {"start": yesterday, "end": yesterday, "refresh": True}, "skipped"),
        ("a promotion", {"action": "promote", "version": other, "reason": "to see whether it may"}, "promoted"),
        ("a rollback", {"action": "rollback", "reason": "to see whether it may"}, "rolled back"),
    ):
        answer = stack.invoke_retrain(event)
        if answer.get("status") != expected:
            yield f"{what}: {answer.get('errorMessage') or answer}"
