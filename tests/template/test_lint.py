"""What linters see. They catch different things, so both run, and neither needs AWS."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.template.reading import ROOT, definition, moved, plain_yaml, source, transformed

TOOLS = Path(sys.executable).parent


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"SAM_CLI_TELEMETRY": "0", "AWS_EC2_METADATA_DISABLED": "true"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_cfn_lint_has_nothing_to_say(tmp_path: Path) -> None:
    # a linter follows neither the include nor the definition's file, so it sees the template with both in place, too
    whole = source()
    machine = whole["Resources"]["RetrainLoop"]["Properties"]
    del machine["DefinitionUri"]
    machine["Definition"] = plain_yaml(definition().replace("${ReadConcurrency}", "5"))
    written = tmp_path / "whole.json"
    written.write_text(json.dumps(whole), encoding="utf-8")
    done = run(TOOLS / "cfn-lint", "--template", ROOT / "template.yaml", written)
    assert (done.stdout, done.returncode) == ("", 0), done.stdout + done.stderr


def test_cfn_lint_sees_a_misspelt_property(tmp_path: Path) -> None:
    template = source()
    function = template["Resources"]["RetrainFunction"]
    function["Properties"]["ReservedConcurrency"] = function["Properties"].pop("ReservedConcurrentExecutions")
    broken = tmp_path / "template.json"
    broken.write_text(json.dumps(template | {"Resources": {"RetrainFunction": function}}), encoding="utf-8")
    assert "ReservedConcurrency" in run(TOOLS / "cfn-lint", "--template", broken).stdout


def test_sam_validate_with_lint_passes_without_credentials() -> None:
    done = run(TOOLS / "sam", "validate", "--lint", "--region", "ap-northeast-2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is a valid SAM Template" in done.stdout


def test_the_transform_needs_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    assert transformed()["Resources"]


@pytest.mark.parametrize(
    ("folder", "artifact"),
    [("layers/shared", "SharedLayer"), ("functions/predict", "PredictFunction"), ("functions/score", "ScoreFunction")],
)
def test_sam_build_finds_its_targets(folder: str, artifact: str) -> None:
    make = shutil.which("make")
    assert make
    done = run(make, "--dry-run", "--makefile", ROOT / folder / "Makefile", f"build-{artifact}", "ARTIFACTS_DIR=/there")
    assert done.returncode == 0, done.stderr
    assert f'-m monitory_local.artifacts.build --only {artifact} --arch x86_64 --out "/there"' in done.stdout


def test_sam_finds_the_files_that_it_uploads_from_where_it_builds(tmp_path: Path) -> None:
    resources = moved(tmp_path / "template.yaml")["Resources"]
    dashboard = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Transform"]["Parameters"]["Location"]
    for place in (dashboard, resources["RetrainLoop"]["Properties"]["DefinitionUri"]):
        assert (tmp_path / place).is_file(), place


@pytest.mark.parametrize("folder", ["layers/shared", "functions/predict"])
def test_a_build_in_a_container_says_what_it_lacks(folder: str, tmp_path: Path) -> None:
    # sam mounts nothing there but the folder of the code
    shutil.copy(ROOT / folder / "Makefile", tmp_path)
    make = shutil.which("make")
    assert make
    done = run(make, "--dry-run", "--makefile", tmp_path / "Makefile")
    assert done.returncode != 0
    assert "without --use-container" in done.stderr


def test_the_image_is_no_index_of_images() -> None:
    # with an attestation beside it Lambda refuses the image
    make = shutil.which("make")
    assert make
    done = run(make, "--dry-run", "image")
    assert {"--provenance=false", "--sbom=false"} <= set(done.stdout.split())
