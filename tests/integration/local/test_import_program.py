"""`python -m monitory_local.importing` as a person runs it: files in, lake and log out."""

import gzip
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from monitory_local.importing.__main__ import LOG_KEY, main
from monitory_local.importing.errors import ImportFault
from monitory_local.s3 import S3

START = datetime(2026, 11, 1)
Figures = dict[str, Any]


@pytest.fixture
def imported(
    s3: S3, lake_bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Figures]:
    """Runs an import into the test's lake and returns its last line."""
    monkeypatch.setenv("S3_INPUT_DATA_BUCKET_NAME", lake_bucket)

    def run(*arguments: str | Path) -> Figures:
        main([*map(str, arguments), "--proposal", str(tmp_path / "proposal.json")])
        figures: Figures = json.loads(capsys.readouterr().out.splitlines()[-1])
        return figures

    return run


@pytest.fixture
def lake(s3: S3, lake_bucket: str) -> Callable[[], dict[str, list[dict[str, Any]]]]:
    """Everything in the test's lake, as records by key."""

    def read() -> dict[str, list[dict[str, Any]]]:
        client = s3.client()
        keys = [entry["Key"] for entry in client.list_objects_v2(Bucket=lake_bucket).get("Contents", [])]
        bodies = {key: client.get_object(Bucket=lake_bucket, Key=key)["Body"].read() for key in keys}
        return {key: [json.loads(line) for line in body.splitlines()] for key, body in bodies.items()}

    return read


def write(path: Path, lines: Sequence[str], encoding: str = "utf-8") -> Path:
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def wide(hours: int = 3, machine: str = "M1") -> list[str]:
    moments = [START + timedelta(minutes=20 * n) for n in range(hours * 3)]
    rows = [f"{moment.isoformat(' ')},{machine},{70 + n / 10},{n % 5}" for n, moment in enumerate(moments)]
    return ["timestamp,machine,temp,vib_x", *rows]


def test_a_wide_file_becomes_an_object_for_each_hour(
    imported: Callable[..., Figures], lake: Callable[[], Any], tmp_path: Path
) -> None:
    figures = imported(write(tmp_path / "a.csv", wide()))
    objects = lake()
    folder = "EQUIPMENT/date=2026-11-01/zone_id=ZONE-001/equip_id=M1/equip-"
    assert (figures["machines"], figures["readings"], figures["new_objects"]) == (1, 18, 3)
    assert len(objects) == 3
    assert all(key.startswith(folder) for key in objects)
    records = sorted((record for body in objects.values() for record in body), key=lambda r: (r["time"], r["sensorId"]))
    assert records[0] == {
        "zoneId": "ZONE-001",
        "equipId": "M1",
        "sensorId": "temp",
        "sensorType": "temp",
        "val": 70.0,
        "category": "EQUIPMENT",
        "faulty": 0,
        "time": "2026-11-01T00:00:00.000000",
    }


def test_a_repeated_import_doubles_nothing_and_a_longer_one_loses_nothing(
    imported: Callable[..., Figures], lake: Callable[[], Any], tmp_path: Path
) -> None:
    first = imported(write(tmp_path / "a.csv", wide(2)))
    again = imported(tmp_path / "a.csv")
    longer = imported(write(tmp_path / "a.csv", wide(4)))
    assert (first["new_objects"], again["new_objects"], again["present_objects"]) == (2, 0, 2)
    assert (longer["new_objects"], longer["present_objects"]) == (2, 2)
    assert sum(map(len, lake().values())) == 4 * 3 * 2


def test_the_order_of_rows_and_their_distribution_over_files_do_not_matter(
    imported: Callable[..., Figures], tmp_path: Path
) -> None:
    lines = wide(6)
    imported(write(tmp_path / "whole.csv", lines))
    parts = tmp_path / "parts"
    parts.mkdir()
    write(parts / "1.csv", [lines[0], *lines[:0:-2]])
    with gzip.open(parts / "2.csv.gz", "wt") as file:
        file.write("\n".join([lines[0], *lines[-2:0:-2], lines[5]]))
    figures = imported(parts)
    assert (figures["new_objects"], figures["present_objects"], figures["repeats"]) == (0, 6, 2)


def test_a_dry_run_writes_nothing_and_says_what_it_would(
    s3: S3, lake: Callable[[], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(write(tmp_path / "a.csv", wide())), "--dry-run", "--proposal", str(tmp_path / "proposal.json")])
    output = capsys.readouterr().out
    assert lake() == {}
    assert not (tmp_path / "proposal.json").exists()
    assert 'equipId = "machine"' in output
    assert "date=2026-11-01/zone_id=ZONE-001/equip_id=M1/equip-" in output
    assert "did you mean" not in output.partition("temp ")[2].partition("\n")[0]
    assert "vib_x" in output.partition("not in the sensor set")[0]
    assert json.loads(output.splitlines()[-1])["dry_run"] is True


def test_a_long_file_with_a_mapping_decimal_commas_and_another_time_zone(
    imported: Callable[..., Figures], lake: Callable[[], Any], tmp_path: Path
) -> None:
    rows = ["Zeit;Anlage;Kanal;Wert", "31.10.2026 18:30;Presse 7;Temp [°C];71,25", "31.10.2026 18:40;Presse 7;Q;1,5"]
    mapping = write(
        tmp_path / "mapping.toml",
        [
            'time_zone = "Europe/Berlin"',
            "[columns]",
            'equipId = "Anlage"',
            "[sensors]",
            '"Temp [°C]" = "temp"',
            "[machines]",
            '"Presse 7" = "P7"',
        ],
    )
    figures = imported(write(tmp_path / "a.csv", rows, "cp1252"), "--mapping", mapping)
    (key, records), *rest = lake().items()
    assert rest == []
    assert key.startswith("EQUIPMENT/date=2026-11-01/zone_id=ZONE-001/equip_id=P7/")  # 18:30 CET is 02:30 KST
    assert [(record["sensorType"], record["val"], record["time"][11:16]) for record in records] == [
        ("temp", 71.25, "02:30"),
        ("Q", 1.5, "02:40"),
    ]
    assert figures["rejected"] == {}


def test_every_row_that_is_left_out_is_counted_by_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        "time,equipId,temp,humid",
        *(f"2026-11-01T00:{minute:02d}:00,M1,70,50" for minute in range(20)),
        "2026-11-01T00:30:00,M1,,50",
        "2026-11-01T00:31:00,M1,NaN,50",
        "2026-11-01T00:32:00,M1,bad,50",
        "yesterday,M1,70,50",
        ",M1,70,50",
        "2026-11-01T00:33:00,press/3,70,50",
        "2026-11-01T00:34:00,,70,50",
        "2026-11-01T00:35:00,M1,70,50,surplus",
    ]
    main([str(write(tmp_path / "a.csv", lines)), "--dry-run"])
    output = capsys.readouterr().out
    figures = json.loads(output.splitlines()[-1])
    assert "a.csv line 27: 'press/3' has a machine" in output.replace("ZONE-001/", "")
    assert figures["readings"] == 20 * 2 + 3
    assert figures["empty"] == 1
    assert figures["rejected"] == {
        "not_finite": 1,
        "not_a_number": 1,
        "time": 1,
        "no_time": 1,
        "machine_name": 1,
        "no_machine": 1,
        "bad_row": 1,
    }


def test_a_maintenance_spreadsheet_becomes_the_log_once(
    imported: Callable[..., Figures], s3: S3, lake_bucket: str, tmp_path: Path
) -> None:
    pytest.importorskip("openpyxl", reason="make env installs it")
    sheet = pd.DataFrame(
        [
            ["Plant 2, work orders", None, None, None, None],
            ["Machine", "Start", "End", "Type", "Cause"],
            ["M1", datetime(2026, 11, 3, 14, 20), datetime(2026, 11, 3, 18, 0), "Breakdown", "bearing"],
            ["M1", datetime(2026, 11, 9, 8, 0), None, "PM", None],
            ["M2", datetime(2026, 11, 9, 8, 0), None, "party", None],
        ]
    )
    sheet.to_excel(tmp_path / "orders.xlsx", header=False, index=False)
    first = imported("--records", tmp_path / "orders.xlsx")
    again = imported("--records", tmp_path / "orders.xlsx")
    log = s3.client().get_object(Bucket=lake_bucket, Key=LOG_KEY)["Body"].read()
    assert (first["new_records"], again["new_records"]) == (2, 0)
    assert first["rejected"] == {"kind": 1}
    assert [json.loads(line) for line in log.splitlines()] == [
        {
            "equipId": "M1",
            "kind": "failure",
            "time": "2026-11-03T14:20:00.000000",
            "start": "2026-11-03T14:20:00.000000",
            "end": "2026-11-03T18:00:00.000000",
            "failureMode": "bearing",
        },
        {"equipId": "M1", "kind": "maintenance", "start": "2026-11-09T08:00:00.000000"},
    ]


def test_lookouts_layout_is_one_machine_with_its_labels_as_failures(
    imported: Callable[..., Figures], lake: Callable[[], Any], s3: S3, lake_bucket: str, tmp_path: Path
) -> None:
    asset = tmp_path / "PUMP-3"
    for component, sensor in (("motor", "current"), ("pump", "flow")):
        (asset / component).mkdir(parents=True)
        rows = [f"2026-11-01T{hour:02d}:00:00.000000,{hour}" for hour in range(3)]
        write(asset / component / "1.csv", [f"Timestamp,{sensor}", *rows])
    labels = write(tmp_path / "labels.csv", ["2026-11-01T02:00:00.000000,2026-11-01T02:30:00.000000"])
    figures = imported("--lookout", asset, "--labels", labels)
    times = sorted({record["time"] for key, body in lake().items() if key != LOG_KEY for record in body})
    names = {record["sensorType"] for key, body in lake().items() if key != LOG_KEY for record in body}
    log = [json.loads(line) for line in s3.client().get_object(Bucket=lake_bucket, Key=LOG_KEY)["Body"].iter_lines()]
    assert (figures["machines"], figures["records"]) == (1, {"failure": 1})
    assert names == {"motor_current", "pump_flow"}
    assert times[0] == "2026-11-01T09:00:00.000000"  # Lookout's times are UTC
    assert (log[0]["equipId"], log[0]["start"]) == ("PUMP-3", "2026-11-01T11:00:00.000000")


def test_components_with_the_same_sensors_have_to_be_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for component in ("P1", "P2"):
        (tmp_path / "plant" / component).mkdir(parents=True)
        write(tmp_path / "plant" / component / "1.csv", ["Timestamp,temp", "2026-11-01T00:00:00,70"])
    with pytest.raises(ImportFault, match="--components machines"):
        main(["--lookout", str(tmp_path / "plant"), "--dry-run"])
    main(["--lookout", str(tmp_path / "plant"), "--components", "machines", "--dry-run"])
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["machines"] == 2


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["time,temp", "03/04/2026 10:00,70"], "day/month or month/day"),
        (["time,temp", "soon,70"], "give the mapping a time_format"),
        (["a,b", "1,2"], "which column holds the time"),
        (["time,temp,temp", "2026-11-01T00:00:00,1,2"], "'temp' is there twice"),
        (["1,2,3", "4,5,6"], "add a header row"),
        (["time,machine,asset,temp", "2026-11-01T00:00:00,a,b,1"], "could both be equipId"),
        (["time,equipId,remark", "2026-11-01T00:00:00,M1,ok"], "no column holds numbers"),
        ([""], "is empty"),
    ],
)
def test_what_is_unclear_is_asked_not_guessed(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(ImportFault, match=message):
        main([str(write(tmp_path / "a.csv", lines)), "--dry-run"])


def test_records_need_a_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write(tmp_path / "log.csv", ["machine,date", "M1,2026-11-01 10:00"])
    with pytest.raises(ImportFault, match="--kind failure, --kind maintenance"):
        main(["--records", str(table)])
    main(["--records", str(table), "--kind", "maintenance", "--dry-run"])
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["records"] == {"maintenance": 1}
