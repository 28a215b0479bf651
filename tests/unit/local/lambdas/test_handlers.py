"""What the local programs hand to the handlers is what Lambda would."""

import os
import time

import pytest

from monitory_local.lambdas import LocalContext, predict_event, set_defaults
from monitory_local.s3 import S3


def test_the_remaining_time_runs_down_to_zero_and_no_further() -> None:
    begun = time.monotonic() - 10
    assert 19_000 < LocalContext("f", 30.0, _start=begun).get_remaining_time_in_millis() <= 20_000
    assert LocalContext("f", 0.0).get_remaining_time_in_millis() == 0
    assert LocalContext("f", 1.0).aws_request_id != LocalContext("f", 1.0).aws_request_id


def test_a_predict_event_names_the_machine_wherever_api_gateway_does() -> None:
    event = predict_event("Z-9", "E.1")
    assert event["httpMethod"] == "GET"
    assert event["path"] == "/api/v1/predict"
    assert event["queryStringParameters"] == {"zoneId": "Z-9", "equipId": "E.1"}
    assert event["multiValueQueryStringParameters"] == {"zoneId": ["Z-9"], "equipId": ["E.1"]}
    assert predict_event("Z-1", "E.2")["queryStringParameters"]["equipId"] == "E.2"


def test_defaults_for_people_give_way_to_the_environment_and_end_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_FORMAT", "JSON")
    with S3("http://127.0.0.1:9").active():
        set_defaults()
        assert os.environ["LOG_FORMAT"] == "JSON"
        assert os.environ["POWERTOOLS_METRICS_DISABLED"] == "true"
    assert "POWERTOOLS_METRICS_DISABLED" not in os.environ
