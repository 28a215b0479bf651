"""How the built functions start: quickly, with the logs asked for, not with a wrong setting or without a library."""

import json
import sys
from dataclasses import replace

import pytest

from monitory_local import sandbox
from monitory_local.lambdas import predict_event
from tests.artifact.conftest import Factory, Trained
from tests.support.gateways import rest_event

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize(
    ("variable", "value"), [("S3_MODEL_BUCKET_NAME", ""), ("MAX_DATA_AGE_HOURS", "-1"), ("LOG_FORMAT", "XML")]
)
def test_predict_does_not_start_with_a_wrong_setting_and_names_it(
    predict_artifact: sandbox.Artifact, variable: str, value: str
) -> None:
    wrong = replace(predict_artifact, environment={**predict_artifact.environment, variable: value})
    with sandbox.serve(wrong) as running:
        answer = running.invoke(rest_event("/api/v1/health"))
        assert variable in answer["errorMessage"] + running.log()
        assert "SettingsError" in answer["errorType"] + running.log()


def test_retrain_does_not_start_with_a_wrong_setting_and_names_it(retrain_artifact: sandbox.Artifact) -> None:
    wrong = replace(retrain_artifact, environment={**retrain_artifact.environment, "TRAINING_DAYS": "0"})
    with sandbox.serve(wrong) as running:
        answer = running.invoke({"month": "2025-06"})
        assert "TRAINING_DAYS" in answer["errorMessage"] + running.log()


def test_without_libgomp_retrain_says_what_is_missing(retrain_artifact: sandbox.Artifact, factory: Factory) -> None:
    with sandbox.serve(replace(retrain_artifact, libgomp=False)) as running:
        answer = running.invoke(factory.shorter_event)
        assert "libgomp.so.1" in answer["errorMessage"] + running.log()


def log_of_an_unknown_machine(artifact: sandbox.Artifact, log_format: str) -> list[str]:
    """The lines that a function logs when it is asked for a machine that is not there."""
    with sandbox.serve(replace(artifact, environment={**artifact.environment, "LOG_FORMAT": log_format})) as running:
        assert running.invoke(predict_event("ZONE-9", "NOBODY"))["statusCode"] == 404
        return [line for line in running.log().splitlines() if "ZONE-9/NOBODY" in line]


def test_log_lines_are_json_where_asked(predict_artifact: sandbox.Artifact) -> None:
    (line,) = log_of_an_unknown_machine(predict_artifact, "JSON")
    record = json.loads(line)
    assert (record["level"], record["service"]) == ("INFO", "monitory-predict")


def test_log_lines_are_for_people_where_asked(predict_artifact: sandbox.Artifact) -> None:
    (line,) = log_of_an_unknown_machine(predict_artifact, "TEXT")
    assert not line.startswith("{")
    assert " INFO " in line


def test_it_starts_quickly_and_stays_small(
    trained: Trained, predict_artifact: sandbox.Artifact, factory: Factory, capsys: pytest.CaptureFixture[str]
) -> None:
    event = predict_event(*factory.machines[0])
    with sandbox.serve(predict_artifact) as running:
        for _ in range(5):
            running.invoke(event)
        first, *warm = running.durations_ms()
        init, peak = running.init_ms(), running.peak_rss_mb()
    with capsys.disabled():
        sys.stdout.write(
            f"\npredict in the sandbox: INIT REPORT {init:.0f} ms, first answer {first - init:.0f} ms after it,"
            f" then {min(warm):.1f} to {max(warm):.1f} ms; peak {peak:.0f} MB\n"
        )
    # a shared machine may be several times slower than an idle one; benchmarks/cold_start.py measures
    assert init < 3000
    assert peak < 150
