"""The dashboard: every figure that the functions publish is on it, and nothing that nobody publishes."""

import json
from typing import Any

import pytest

from monitory import metric_names
from tests.support.template.reading import Stack
from tests.template.test_alarms import BY_SERVICE

AWS_NAMESPACES = {"AWS/ApiGateway", "AWS/Lambda"}


@pytest.fixture(scope="module")
def widgets(stack: Stack) -> list[dict[str, Any]]:
    """What is drawn."""
    drawn: list[dict[str, Any]] = json.loads(stack["Dashboard"]["DashboardBody"])["widgets"]
    return drawn


def drawn_metrics(widgets: list[dict[str, Any]]) -> list[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of each line, with CloudWatch's abbreviations written out."""
    found = []
    for widget in widgets:
        before: list[str] = []
        for entry in widget["properties"].get("metrics", []):
            words = [word for word in entry if isinstance(word, str)]
            if not words:
                continue  # an expression
            if words[0] == "...":
                words = before[: len(before) - len(words) + 1] + words[1:]
            words = [before[place] if word == "." else word for place, word in enumerate(words)]
            namespace, name, *dimensions = words
            found.append((namespace, name, dict(zip(dimensions[::2], dimensions[1::2], strict=True))))
            before = words
    return found


def test_every_published_figure_is_drawn(widgets: list[dict[str, Any]]) -> None:
    drawn = {(name, dimensions["service"]) for _, name, dimensions in drawn_metrics(widgets) if "service" in dimensions}
    assert drawn == {(name, service) for service, names in BY_SERVICE.items() for name in names}


def test_every_drawn_figure_is_published(widgets: list[dict[str, Any]]) -> None:
    for namespace, name, dimensions in drawn_metrics(widgets):
        if namespace == "AWS/ApiGateway":
            assert dimensions == {"ApiName": "monitory", "Stage": "prod"}
            assert name in {"Count", "4XXError", "5XXError", "Latency"}
        elif namespace == "AWS/Lambda":
            assert dimensions["FunctionName"] in {"<PredictFunction>", "<ScoreFunction>", "<RetrainFunction>"}
            assert name in {"Duration", "Errors", "Throttles"}
        else:
            assert namespace == metric_names.NAMESPACE
            assert name in BY_SERVICE[dimensions["service"]]


def test_the_drift_of_each_sensor_is_searched_for_as_it_is_published(widgets: list[dict[str, Any]]) -> None:
    entries = [entry for widget in widgets for entry in widget["properties"].get("metrics", [])]
    searches = [entry[0]["expression"] for entry in entries if "SEARCH" in str(entry)]
    # the dimensions in alphabetical order, as `monitory_retrain.invocation.telemetry` has them
    assert searches == [
        f"SEARCH('{{{metric_names.NAMESPACE},sensor,service}} MetricName={metric_names.SENSOR_PSI}', 'Maximum', 86400)"
    ]


def test_every_alarm_but_the_canarys_is_drawn(stack: Stack, widgets: list[dict[str, Any]]) -> None:
    (panel,) = [widget for widget in widgets if widget["type"] == "alarm"]
    alarms = stack.of_type("AWS::CloudWatch::Alarm").keys() - {"NewVersionErrorsAlarm"}
    assert set(panel["properties"]["alarms"]) == {f"<{name}.Arn>" for name in alarms}


def test_the_distribution_of_predicted_lives_is_drawn(widgets: list[dict[str, Any]]) -> None:
    lives = [w["properties"] for w in widgets if metric_names.PREDICTED_RUL in str(w["properties"].get("metrics"))]
    statistics = {options["stat"] for entry in lives[0]["metrics"] for options in entry if isinstance(options, dict)}
    assert {"Minimum", "p50", "p90"} <= statistics


def test_widgets_do_not_lie_on_each_other(widgets: list[dict[str, Any]]) -> None:
    covered = [
        (x, y) for w in widgets for x in range(w["x"], w["x"] + w["width"]) for y in range(w["y"], w["y"] + w["height"])
    ]
    assert len(covered) == len(set(covered))
    assert max(x for x, _ in covered) < 24
