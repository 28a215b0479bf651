"""Log lines: JSON for machines, text for people."""

import json

import pytest

from monitory.log import Logger, logger
from monitory.settings import Settings

Capture = pytest.CaptureFixture[str]


def a_logger(request: pytest.FixtureRequest, **settings: object) -> Logger:
    """A logger of this test alone: Powertools keeps one for each service."""
    return logger(request.node.name, Settings(**settings))


def test_json_lines_hold_message_level_service_and_fields(capsys: Capture, request: pytest.FixtureRequest) -> None:
    a_logger(request).warning("기계 %s", "EQUIP-001", extra={"readings": 4320})
    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["message"], line["readings"]) == ("WARNING", "기계 EQUIP-001", 4320)
    assert line["service"] == request.node.name
    assert line["timestamp"].endswith("+0000")


def test_text_lines_are_for_people(capsys: Capture, request: pytest.FixtureRequest) -> None:
    log = a_logger(request, log_format="TEXT")
    log.append_keys(machine="EQUIP-001")
    log.info("read %d objects", 3, extra={"readings": 4320})
    service = f"service={request.node.name}"
    assert capsys.readouterr().out.endswith(f" INFO    read 3 objects {service} machine=EQUIP-001 readings=4320\n")
    log.registered_formatter.clear_state()
    log.info("again")
    assert capsys.readouterr().out.endswith(" INFO    again\n")


@pytest.mark.parametrize(("level", "mark"), [("info", "✅"), ("warning", "⚠️"), ("error", "❌")])
def test_emoji_for_those_who_like_them(capsys: Capture, request: pytest.FixtureRequest, level: str, mark: str) -> None:
    getattr(a_logger(request, log_format="TEXT", log_emoji=True), level)("said")
    assert f"{mark} said" in capsys.readouterr().out


def test_levels_below_the_setting_are_silent(capsys: Capture, request: pytest.FixtureRequest) -> None:
    log = a_logger(request, log_level="ERROR")
    log.warning("not this")
    log.error("this")
    assert [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()] == ["this"]


@pytest.mark.parametrize("log_format", ["TEXT", "JSON"])
def test_an_exception_is_told_with_its_traceback(
    capsys: Capture, request: pytest.FixtureRequest, log_format: str
) -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        a_logger(request, log_format=log_format).exception("it failed")
    told = capsys.readouterr().out
    assert "Traceback" in told
    assert "ValueError: broken" in told
