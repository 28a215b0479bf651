"""A stack's life, as its users see it. The tests go on where the one above them ended."""

import json
from datetime import timedelta
from typing import Any

import pytest

from monitory.clock import now
from monitory.machine import Machine
from tests.deploy.conftest import DAYS
from tests.support.deploy.deployment import Stack, output_of, wait_for

PREDICT, FLEET, HEALTH, MODELS = "/api/v1/predict", "/api/v1/fleet", "/api/v1/health", "/api/v1/models"
CASES, MACHINES = "/api/v1/cases", "/api/v1/machines"


@pytest.fixture(scope="module")
def machine(machines: list[Machine]) -> Machine:
    """A machine with readings."""
    return machines[0]


@pytest.fixture(scope="module")
def versions() -> list[str]:
    """The versions that were trained so far."""
    return []


@pytest.mark.parametrize("path", [PREDICT, FLEET, CASES, HEALTH, MODELS, f"{MODELS}/1/report", f"{MACHINES}/Z/E"])
@pytest.mark.parametrize("key", ["", "a-key-of-somebody-else"])
def test_without_the_key_the_gateway_answers(stack: Stack, path: str, key: str) -> None:
    answer = stack.get(path, key=key)
    assert answer.status == 403
    assert "detail" not in answer.body, "the emulator has learnt gateway responses: take them off the list"


def test_the_page_needs_no_key(stack: Stack) -> None:
    page = stack.get("/", key="")
    assert (page.status, 'src="page/app.js"' in page.text) == (200, True)
    assert stack.get("/page/app.js", key="").status == 200
    assert stack.get("/page/handler.py", key="").status == 404


def test_other_routes_do_not_exist(stack: Stack) -> None:
    assert stack.get("/docs").status == 403


def test_what_is_missing_or_unknown_is_named(stack: Stack, machine: Machine) -> None:
    incomplete = stack.get(PREDICT, zoneId=machine.zone_id)
    assert (incomplete.status, "equipId" in incomplete.body["detail"]) == (422, True)
    unknown = stack.get(PREDICT, zoneId="ZONE-404", equipId="EQUIP-404")
    assert (unknown.status, "ZONE-404/EQUIP-404" in unknown.body["detail"]) == (404, True)


def test_before_the_first_model_the_answer_is_503(stack: Stack, machine: Machine) -> None:
    for answer in (stack.get(HEALTH), stack.get(PREDICT, zoneId=machine.zone_id, equipId=machine.equip_id)):
        assert (answer.status, answer.body["detail"]) == (503, "no model has been promoted yet")


def test_the_state_machine_retrains(stack: Stack, machine: Machine, versions: list[str]) -> None:
    states = stack.account.client("stepfunctions")
    today = now().date()
    event = {"start": str(today - timedelta(days=DAYS)), "end": str(today - timedelta(days=2))}
    execution = states.start_execution(stateMachineArn=stack.outputs["RetrainLoopArn"], input=json.dumps(event))
    trained = output_of(stack, execution["executionArn"])
    assert trained["status"] == "trained", trained
    _serve(stack, trained)
    versions.append(trained["version"])
    _assert_served(stack, machine, trained["version"])


def test_the_rules_event_retrains(stack: Stack, machine: Machine, versions: list[str]) -> None:
    events, states = stack.account.client("events"), stack.account.client("stepfunctions")
    loop = stack.outputs["RetrainLoopArn"]
    rule = events.describe_rule(Name=stack.resources["NightlyRule"])
    assert (rule["ScheduleExpression"], rule["State"]) == ("cron(0 15 * * ? *)", "ENABLED")

    def executions() -> set[str]:
        return {execution["executionArn"] for execution in states.list_executions(stateMachineArn=loop)["executions"]}

    before = executions()
    # the rule's own event, target and role, only sooner than midnight in Seoul
    events.put_rule(Name=rule["Name"], ScheduleExpression="rate(1 minute)", State="ENABLED")
    try:
        (execution,) = wait_for(
            "execution", lambda: executions() - before or None, stack.account.emulator, seconds=120.0
        )
    finally:
        events.put_rule(Name=rule["Name"], ScheduleExpression=rule["ScheduleExpression"], State="DISABLED")
    event = json.loads(states.describe_execution(executionArn=execution)["input"])
    assert event["detail-type"] == "Scheduled Event"
    trained = output_of(stack, execution)
    assert trained["status"] == "trained", trained
    _serve(stack, trained)
    versions.append(trained["version"])
    _assert_served(stack, machine, trained["version"])


def test_a_rollback_is_seen_by_the_next_call(stack: Stack, machine: Machine, versions: list[str]) -> None:
    rolled_back = stack.invoke_retrain({"action": "rollback", "reason": "to see the older one"})
    assert (rolled_back["status"], rolled_back["version"]) == ("rolled back", versions[0])
    _assert_served(stack, machine, versions[0])


def test_every_machine_is_scored_and_the_answers_are_read(stack: Stack, machines: list[Machine]) -> None:
    stack.account.emulator.end_functions()  # one that has run for a while does not know the newest failures yet
    asked = [stack.get(PREDICT, zoneId=machine.zone_id, equipId=machine.equip_id).body for machine in machines]
    scored = stack.score()
    assert (scored["status"], scored["machines"], scored["failed"]) == ("scored", len(machines), 0), scored
    answers = stack.get(FLEET).body["machines"]
    assert {(answer["zoneId"], answer["equipId"]) for answer in answers} == set(machines)
    for computed, machine in zip(asked, machines, strict=True):
        read = stack.get(PREDICT, zoneId=machine.zone_id, equipId=machine.equip_id).body
        assert (read["predictions"], read["model"]) == (computed["predictions"], computed["model"])
    page = stack.get(f"{MACHINES}/{machines[0].zone_id}/{machines[0].equip_id}")
    assert (page.status, page.body["equipId"], page.body["limits_days"]) == (200, machines[0].equip_id, [5.0, 3.0])
    assert page.body["trend"]
    assert stack.score()["scored"] == 0


def test_cases_are_listed_and_an_operator_writes_records(stack: Stack, machine: Machine) -> None:
    assert stack.get(CASES).body["status"] == "ok"
    assert stack.record(machine, "one", key_id=stack.outputs["ApiKeyId"]).status == 403
    written, again = stack.record(machine, "two"), stack.record(machine, "two")
    assert (written.status, written.body["by"]) == (201, stack.outputs["OperatorKeyId"])
    assert (again.status, "use a new key" in again.body["detail"]) == (409, True)
    page = stack.get(f"{MACHINES}/{machine.zone_id}/{machine.equip_id}").body
    assert [record["id"] for record in page["records"]] == ["two"]
    assert stack.score()["status"] == "scored"


def test_versions_and_reports_are_answered(stack: Stack, versions: list[str]) -> None:
    listed = stack.get(MODELS).body
    assert listed["served"] == versions[0]
    assert [version["version"] for version in listed["versions"]] == sorted(versions, reverse=True)
    assert [made["action"] for made in listed["history"]] == ["rollback", "promote", "promote"]
    report = stack.get(f"{MODELS}/{versions[0].replace('/', '-')}/report")
    assert (report.status, report.text.lstrip()[:15].lower()) == (200, "<!doctype html>")


def _serve(stack: Stack, trained: dict[str, Any]) -> None:
    """Promote a version that the verdict did not; which one it is depends on the hour at which the lake ends."""
    if not trained["promoted"]:
        event = {"action": "promote", "version": trained["version"], "reason": "to be served"}
        assert stack.invoke_retrain(event)["status"] == "promoted"


def _assert_served(stack: Stack, machine: Machine, version: str) -> None:
    answer = stack.get(PREDICT, zoneId=machine.zone_id, equipId=machine.equip_id)
    assert answer.status == 200, answer
    assert answer.body["model"]["version"] == version
    assert 0.0 <= answer.body["predictions"][0] <= 30.0
    health = stack.get(HEALTH)
    assert (health.status, health.body["version"]) == (200, version)
