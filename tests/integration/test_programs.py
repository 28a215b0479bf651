"""The programs behind `make demo`, `make serve` and `make invoke-…`, run as a person runs them."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(600)  # the demo takes half a minute on two idle cores


@dataclass(frozen=True)
class Demo:
    """A finished demo: where its data lies and what it printed."""

    folder: Path
    output: str

    @property
    def result(self) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(self.output.splitlines()[-1])
        return result


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "S3_", "LOG_"))}
    return kept | {"PYTHONPATH": os.pathsep.join(sys.path)}


def _run(module: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"monitory_local.{module}", *map(str, arguments)]
    return subprocess.run(command, env=_environment(), cwd=ROOT, capture_output=True, text=True, timeout=500)


def _invoke(*arguments: str | Path, status: int = 0) -> dict[str, Any]:
    done = _run("lambdas.invoke", *arguments)
    assert done.returncode == status, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    # short lives: in a factory this small, long ones leave too few failures to learn from
    small = {"machines": 16, "days": 16, "rate": 900, "life-days": 4}
    done = _run("demo", "--folder", folder, "--no-triage", *(f"--{name}={value}" for name, value in small.items()))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "_aws" not in done.stderr  # metrics are not for a terminal
    return Demo(folder, done.stdout)


def test_the_demo_ends_with_its_figures(demo: Demo) -> None:
    assert list(demo.result)[:6] == ["version", "promoted", "machines", "mae_days", "mean_mae_days", "seconds"]
    assert demo.result["promoted"] is True
    assert 8 <= demo.result["machines"] <= 16
    assert 0 < demo.result["mae_days"] < demo.result["mean_mae_days"]
    assert (demo.result["scored"], demo.result["open_cases"] > 0) == (16, True)
    assert "EQUIP-016" in demo.output
    assert "An alert, as it is mailed:" in demo.output
    assert "machines need work within 7 days: EQUIP-" in demo.output
    assert len((demo.folder / "truth.ndjson").read_text().splitlines()) >= 16 * 24 * 15  # just after midnight


def test_the_handlers_can_be_invoked_on_the_demos_data(demo: Demo, tmp_path: Path) -> None:
    version = demo.result["version"]
    predicted = _invoke("predict", "--folder", demo.folder, "--zone", "ZONE-001", "--equip", "EQUIP-404", status=1)
    assert predicted["statusCode"] == 404
    assert "EQUIP-404" in predicted["body"]["detail"]
    unchanged = _invoke("retrain", "--folder", demo.folder, "--event", _event(tmp_path, version=version))
    assert unchanged == {"status": "unchanged", "version": version, "reason": "the version is already served"}
    invalid = _invoke("retrain", "--folder", demo.folder, "--month", "2199-01", status=1)
    assert invalid["status"] == "invalid"


def _event(folder: Path, version: str) -> Path:
    file = folder / "promote.json"
    file.write_text(json.dumps({"action": "promote", "version": version, "reason": "test"}))
    return file


def test_an_event_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = _run("lambdas.invoke", "retrain", "--event", tmp_path / "nothing.json")
    assert done.returncode == 2
    assert "nothing.json" in done.stderr


def test_the_served_demo_answers_over_http(demo: Demo) -> None:
    with _served(demo.folder) as api:
        health = api.get("/api/v1/health")
        answers = [
            api.get("/api/v1/predict", params={"zoneId": "ZONE-001", "equipId": f"EQUIP-{number:03d}"})
            for number in range(1, 11)
        ]
        unknown = api.get("/api/v1/predict", params={"zoneId": "ZONE-001", "equipId": "EQUIP-404"})
        malformed = api.get("/api/v1/predict", params={"zoneId": "../x", "equipId": "E"})
        models = api.get("/api/v1/models")
    assert (health.status_code, health.json()["version"]) == (200, demo.result["version"])
    assert sum(answer.status_code == 200 for answer in answers) >= 5
    assert {answer.status_code for answer in answers} <= {200, 404}
    assert (unknown.status_code, malformed.status_code) == (404, 422)
    assert models.json()["served"] == demo.result["version"]


def test_a_second_demo_on_a_served_folder_is_refused(demo: Demo) -> None:
    with _served(demo.folder):
        done = _run("demo", "--folder", demo.folder)
    assert done.returncode == 1
    assert "is in use" in done.stderr
    assert "stop it" in done.stderr


@contextmanager
def _served(folder: Path) -> Iterator[httpx2.Client]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "monitory_local.serve", "--folder", str(folder), "--port", str(port)]
    log = folder / "serve.log"
    with (
        log.open("w") as output,
        subprocess.Popen(command, env=_environment(), cwd=ROOT, stdout=output, stderr=output) as server,
    ):
        try:
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                deadline = time.monotonic() + 60
                while not _is_up(client):
                    assert server.poll() is None, (folder / "serve.log").read_text()
                    assert time.monotonic() < deadline, (folder / "serve.log").read_text()
                    time.sleep(0.1)
                yield client
        finally:
            server.terminate()


def _is_up(client: httpx2.Client) -> bool:
    try:
        return bool(client.get("/api/v1/health").status_code)
    except httpx2.TransportError:
        return False
