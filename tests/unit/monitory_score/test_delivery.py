"""Events and mail through boto3, against moto's EventBridge and SNS."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from monitory.alerts.case import Case, Cause, Change, Status, Transition
from monitory.log import Logger
from monitory.settings import ScoreSettings
from monitory_score.delivery import channels
from tests.support.template.reading import ROOT

AT = datetime(2026, 11, 20, 3, 20, tzinfo=UTC)
CASE = Case("c", "ZONE-001", "EQUIP-001", Cause.WEAR, 2, Status.OPEN, AT, AT, 1)
LOG = Logger(service="test-delivery", level="CRITICAL")
REGION = "ap-northeast-2"


def transitions(count: int) -> list[Transition]:
    return [Transition(f"c/{number}", Change.OPENED, AT, CASE) for number in range(count)]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]


def queue() -> tuple[str, str]:
    """Address and ARN of a queue."""
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def bodies(url: str) -> list[dict[str, Any]]:
    sqs, found = client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


@pytest.mark.usefixtures("aws")
def test_each_transition_is_an_event_that_a_rule_of_the_documentation_matches() -> None:
    url, arn = queue()
    events = client("events")
    pattern = {"source": ["monitory"], "detail-type": ["Monitory Case Transition"]}
    assert all(word in (ROOT / "docs/reference.md").read_text(encoding="utf-8") for (word,) in pattern.values())
    events.put_rule(Name="cases", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="cases", Targets=[{"Id": "1", "Arn": arn}])
    (bus,) = channels(ScoreSettings(event_bus_name="default"), LOG)
    assert bus.send(transitions(23)) == {f"c/{number}" for number in range(23)}
    details = [body["detail"] for body in bodies(url)]
    assert sorted(detail["id"] for detail in details) == sorted(f"c/{number}" for number in range(23))
    assert details[0]["case"]["equipId"] == "EQUIP-001"


@pytest.mark.usefixtures("aws")
def test_a_mail_goes_to_the_topic_in_the_language_of_the_settings() -> None:
    url, arn = queue()
    topic = client("sns").create_topic(Name="cases")["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    (mail,) = channels(ScoreSettings(alert_topic_arn=topic, alert_language="ko"), LOG)
    assert mail.send(transitions(2)) == {"c/0", "c/1"}
    (body,) = bodies(url)
    assert body["Subject"] == "ZONE-001/EQUIP-001 opened (level 2) and 1 more"
    assert "신규" in body["Message"]


@pytest.mark.usefixtures("aws")
def test_a_topic_that_is_not_there_takes_nothing() -> None:
    missing = f"arn:aws:sns:{REGION}:123456789012:missing"
    (mail,) = channels(ScoreSettings(alert_topic_arn=missing), LOG)
    assert mail.send(transitions(1)) == set()


def test_without_a_bus_and_a_topic_nothing_is_sent() -> None:
    assert channels(ScoreSettings(), LOG) == []


def test_the_documented_fields_are_those_of_the_event() -> None:
    from monitory.alerts.view import CaseView, TransitionView

    section = (ROOT / "docs/reference.md").read_text(encoding="utf-8").partition("## Events about cases")[2]
    section = section.partition("\n## ")[0]
    names = [field.alias or name for kind in (CaseView, TransitionView) for name, field in kind.model_fields.items()]
    assert [name for name in names if f"`{name}`" not in section] == []
