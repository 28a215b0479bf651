"""Lines of metrics beside those of Powertools, whose format they have."""

import json

import pytest
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from monitory import metric_line, metric_names


@pytest.mark.parametrize("dimensions", [{}, {"sensor": '온도 "1"'}])
def test_a_line_is_that_of_powertools(dimensions: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    metric_line.write("Plant", "scorer", {metric_names.PREDICTIONS: 1, metric_names.PREDICT_LATENCY: 2.5}, dimensions)
    ours = json.loads(capsys.readouterr().out)
    theirs = EphemeralMetrics(namespace="Plant", service="scorer")
    for name, value in dimensions.items():
        theirs.add_dimension(name, value)
    theirs.add_metric(metric_names.PREDICTIONS, MetricUnit.Count, 1)
    theirs.add_metric(metric_names.PREDICT_LATENCY, MetricUnit.Milliseconds, 2.5)
    theirs.flush_metrics()
    expected = json.loads(capsys.readouterr().out)
    assert abs(ours["_aws"].pop("Timestamp") - expected["_aws"].pop("Timestamp")) < 60_000
    directive, theirs_directive = (line["_aws"]["CloudWatchMetrics"][0] for line in (ours, expected))
    for one in (directive, theirs_directive):
        one["Dimensions"] = [sorted(names) for names in one["Dimensions"]]
    assert ours == expected


def test_no_line_is_written_where_metrics_are_disabled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for value, lines in (("true", 0), ("1", 0), ("false", 1)):
        monkeypatch.setenv(metric_line.DISABLED, value)
        metric_line.write("Plant", "scorer", {metric_names.PREDICTIONS: 1})
        assert capsys.readouterr().out.count("_aws") == lines


def test_units_are_of_metrics_that_there_are() -> None:
    names = {value for name, value in vars(metric_names).items() if name.isupper() and isinstance(value, str)}
    assert metric_line.UNITS.keys() <= names
    assert {*metric_line.UNITS.values()} <= {unit.value for unit in MetricUnit}
