"""The program: the lake in S3, the truth and the log beside it."""

import json
from datetime import date, datetime
from pathlib import Path

import pytest

from monitory.clock import date_of_hour, hour_of
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import S3
from monitory_local.simulator.__main__ import main
from monitory_local.simulator.lake import truths, write_hours
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.signals import MODES
from monitory_local.simulator.wear import Plan, State
from tests.support.factory import HOURS, START, log_lines


def test_the_lake_in_s3_holds_what_was_written_and_the_failure_log_names_each_failure(s3: S3, lake_bucket: str) -> None:
    producer = Producer(Plan(START, machines=2, rate_seconds=300))
    hours = range(START, START + 12 * 24)
    storage = S3Storage(lake_bucket, region="ap-northeast-2")
    steps = []
    written = write_hours(storage, producer, hours, lambda: steps.append(1))
    listed = list(storage.list("EQUIPMENT"))
    assert len(steps) == 2 * len(hours)
    assert written.objects == len(listed)
    assert written.size == sum(entry.size for entry in listed)
    log = [line for line in log_lines(producer, hours) if line["kind"] == "failure"]
    zero = [(t.equip_id, date_of_hour(t.hour)) for t in truths(producer, hours) if t.rul_days == 0]
    assert sorted((entry["equipId"], date.fromisoformat(entry["start"][:10])) for entry in log) == sorted(zero)


def test_the_program_writes_a_month_its_truth_and_its_failure_log(
    s3: S3, lake_bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "truth.ndjson"
    main(
        [
            "--month",
            "2026-02",
            "--machines",
            "1",
            "--rate",
            "600",
            "--truth",
            str(truth),
            "--failure-log-key",
            "log.json",
        ]
    )
    storage = S3Storage(lake_bucket, region="ap-northeast-2")
    days = {entry.key.split("/")[1] for entry in storage.list("EQUIPMENT")}
    known = [json.loads(line) for line in truth.read_text().splitlines()]
    assert days <= {f"date=2026-02-{day:02d}" for day in range(1, 29)}
    assert len(days) >= 27
    assert [known[0]["hour"], known[-1]["hour"]] == ["2026-02-01T00:00:00", "2026-02-28T23:00:00"]
    failures = [line["hour"] for line in known if line["rulDays"] == 0]
    log = [json.loads(line) for line in storage.get("log.json").body.splitlines()]
    assert failures == [line["time"] for line in log if line["kind"] == "failure"]
    assert f"s3://{lake_bucket}/EQUIPMENT/" in capsys.readouterr().out


def test_the_log_tells_failures_maintenance_and_inspections_as_they_are_known_at_the_time() -> None:
    producer = Producer(Plan(START, machines=10, rate_seconds=600, maintained_share=0.5, fault_share=0.05))
    log = log_lines(producer, HOURS)
    assert set(log[0]) >= {"zoneId", "equipId", "kind", "start", "end", "failureMode", "note"}
    assert {line["kind"] for line in log} == {"failure", "maintenance", "inspection", "false_alarm"}
    assert [line["start"] for line in log] == sorted(line["start"] for line in log)
    machines = {machine.lives.equip_id: machine.lives for machine in producer.machines}
    for line in log:
        if line["kind"] not in ("failure", "maintenance"):
            continue
        hour = hour_of(datetime.fromisoformat(line["start"]))
        before, begun = (machines[line["equipId"]].truth(at) for at in (max(hour - 1, START), hour))
        if line["kind"] == "failure":
            assert (begun.state, line["time"]) == (State.FAILING, line["start"])
            assert begun.worn_sensor == next(mode.worn for mode in MODES if mode.name == line["failureMode"])
        else:
            assert before.state in (State.HEALTHY, State.WORN)
            assert begun.state is State.OFF
            assert "time" not in line
    assert sum(line["end"] is not None for line in log) > 20
    first_week = log_lines(producer, HOURS[: 7 * 24])
    assert {line["start"] for line in first_week} < {line["start"] for line in log}
    assert all((line["end"] or "") <= "2026-02-08T00:00:00" for line in first_week)


@pytest.mark.parametrize(
    "argument",
    [
        "--rate=3601",
        "--maintained=1.5",
        "--classes=4",
        "--rate=0",
        "--spikes=0.5",
        "--machines=0",
        "--life-days=-1",
        "--month=2026-13",
    ],
)
def test_impossible_arguments_are_refused(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([argument])
    assert exit_.value.code == 2
    assert argument.split("=")[0] in capsys.readouterr().err
