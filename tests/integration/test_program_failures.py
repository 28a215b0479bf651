"""Local programs that are stopped, started twice, or pointed at the wrong place, run as a person runs them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitory_local.s3 import S3

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(300)

# whoever runs the tests in the background of a script ignores interrupts, and what it starts inherits that
INTERRUPTIBLE = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


def _environment(**more: str) -> dict[str, str]:
    prefixes = ("AWS_", "S3_", "LOG_", "MAKE", "MFLAGS")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    return inherited | {"PYTHONPATH": os.pathsep.join(sys.path)} | more


def _run(module: str, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"monitory_local.{module}", *map(str, arguments)]
    return subprocess.run(
        command, env=_environment(**environment), cwd=ROOT, capture_output=True, text=True, timeout=120
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _serve(folder: Path, log: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    module = ["-m", "monitory_local.serve", "--folder", str(folder), *arguments]
    command = [sys.executable, "-c", INTERRUPTIBLE, *module]
    with (
        log.open("w") as output,
        subprocess.Popen(command, env=_environment(), cwd=ROOT, stdout=output, stderr=output) as server,
    ):
        try:
            yield server
        finally:
            if server.poll() is None:
                server.send_signal(signal.SIGINT)
                server.wait(60)


def _wait_for(server: "subprocess.Popen[bytes]", log: Path, pattern: str) -> None:
    deadline = time.monotonic() + 120
    while not re.search(pattern, log.read_text()):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_serve_goes_on_where_it_was_interrupted_while_it_filled_the_lake(tmp_path: Path) -> None:
    """The lake is filled by the second start, and the folder stays usable."""
    small = ("--machines", "1", "--rate", "600", "--port", str(_free_port()))
    log, state = tmp_path / "serve.log", tmp_path / "s3" / "factory.json"
    with _serve(tmp_path / "s3", log, *small) as server:
        _wait_for(server, log, r"writing the lake: +[1-9]\d?%")
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 130
    interrupted = json.loads(state.read_text())
    with _serve(tmp_path / "s3", log, *small) as server:
        _wait_for(server, log, "Uvicorn running")
        text = log.read_text()
    complete = json.loads(state.read_text())
    assert complete["until"] - interrupted["plan"]["start_hour"] >= 30 * 24
    assert interrupted["until"] < complete["until"]
    assert "There is no model yet" in text
    assert f'make invoke-retrain FOLDER="{tmp_path / "s3"}"' in text


def test_a_second_serve_on_a_folder_and_a_port_in_use_are_refused(tmp_path: Path) -> None:
    log, port = tmp_path / "serve.log", _free_port()
    with _serve(tmp_path / "s3", log, "--machines", "1", "--rate", "600", "--port", str(port)) as server:
        _wait_for(server, log, "Uvicorn running")
        second = _run("serve", "--folder", tmp_path / "s3", "--port", str(_free_port()))
        same_port = _run("serve", "--folder", tmp_path / "other", "--port", str(port))
    assert second.returncode == 1
    assert "is in use, perhaps by another `make serve`" in _last_line(second)
    assert same_port.returncode == 1
    assert f"port {port} of 127.0.0.1 cannot be used" in _last_line(same_port)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    "program",
    [
        ("serve", "--port", "0"),
        ("lambdas.invoke", "predict"),
        ("lambdas.invoke", "retrain"),
        ("simulator", "--days", "1", "--machines", "1"),
        ("importing", "{csv}"),
        ("demo",),
    ],
    ids=lambda program: " ".join(program[:2]),
)
def test_no_program_makes_a_bucket_in_a_store_that_it_was_pointed_at(
    s3: S3, tmp_path: Path, program: tuple[str, ...]
) -> None:
    csv = tmp_path / "a.csv"
    csv.write_text("time,temp\n2026-11-01T00:00:00,70\n")
    module, *arguments = (part.format(csv=csv) for part in program)
    names = {"S3_INPUT_DATA_BUCKET_NAME": "not-there", "S3_MODEL_BUCKET_NAME": "not-there-either"}
    before = {bucket["Name"] for bucket in s3.client().list_buckets()["Buckets"]}
    done = _run(module, *arguments, **s3.environment, **names)
    after = {bucket["Name"] for bucket in s3.client().list_buckets()["Buckets"]}
    assert after == before
    assert done.returncode == 1
    line = _last_line(done)
    assert line.startswith("error: ")
    assert "unset AWS_ENDPOINT_URL" in line or ("NoSuchBucket" in line and "create it" in line)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, ("SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY")),
        ({"AWS_ACCESS_KEY_ID": "wrong"}, ("InvalidAccessKeyId", "AWS_ACCESS_KEY_ID")),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, ("does the store run",)),
        ({"AWS_REGION": ""}, ("AWS_REGION",)),
        ({"MAX_RUL_DAYS": "-1"}, ("MAX_RUL_DAYS", "greater than 0")),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_failure_is_one_line_with_the_stores_code_and_a_remedy(
    s3: S3, environment: dict[str, str], words: tuple[str, ...]
) -> None:
    done = _run("lambdas.invoke", "predict", **{**s3.environment, **environment})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def test_an_event_is_taken_as_it_is_through_make(tmp_path: Path) -> None:
    """Spaces, quotes and Korean in a file's name, or JSON in place of a file."""
    folder = tmp_path / "내 공장 '1'"
    folder.mkdir()
    event = {"action": "rollback", "reason": 'the "new" one $HOME `id` 새 모델'}
    (folder / "event 1.json").write_text(json.dumps(event), encoding="utf-8")
    for value in (str(folder / "event 1.json"), json.dumps({"month": "2026-13"})):
        # the environment is taken as it is, too: a test installs nothing
        make = ["make", "--no-print-directory", "--old-file=.venv/.ready"]
        command = [*make, "invoke-retrain", f"EVENT={value}", f"FOLDER={folder}"]
        done = subprocess.run(command, env=_environment(), cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 2, done.stderr
        assert json.loads(done.stdout)["status"] in ("invalid", "refused"), done.stderr


@pytest.mark.parametrize(
    ("event", "words"),
    [("{", "the event is not JSON"), ("[]", "a JSON object"), ("no/file.json", "no/file.json: No such")],
)
def test_an_event_that_is_none_is_named(event: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_text("[]")
    done = _run(
        "lambdas.invoke", "retrain", "--event", str(file) if event == "[]" else event, "--folder", tmp_path / "s3"
    )
    assert done.returncode == 2
    assert words in done.stderr
