"""What a policy linter says of the transformed template: nothing but what `.checkov.yaml` leaves out with a reason."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.template.reading import ROOT

CHECKOV = ROOT / ".venv-policy" / "bin" / "checkov"
CONFIG = ROOT / ".checkov.yaml"
EXCEPTION = re.compile(r"^  - (CKV2?_AWS_\d+)( +# .{20,})?$", re.MULTILINE)

pytestmark = pytest.mark.skipif(
    not CHECKOV.exists() and os.environ.get("CI") != "true",
    reason="checkov has an environment of its own, which `make policies` creates, as CI does",
)


def exceptions() -> dict[str, str]:
    """The rules that are left out, with their reasons."""
    return {match[1]: match[2] for match in EXCEPTION.finditer(CONFIG.read_text(encoding="utf-8"))}


def checked(template: dict[str, Any], folder: Path, config: Path) -> tuple[int, dict[str, Any]]:
    """Exit status and report of checkov on a template; nothing of an account or a proxy is in its environment."""
    written = folder / "template.json"
    written.write_text(json.dumps(template), encoding="utf-8")
    command: list[str | Path] = [CHECKOV, "--config-file", config, "--file", written, "--output", "json"]
    environment = {"PATH": os.defpath, "HOME": str(folder), "NO_PROXY": "*"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, report


def test_the_rules_that_are_broken_are_those_that_are_left_out(template: dict[str, Any], tmp_path: Path) -> None:
    without = tmp_path / "checkov.yaml"
    without.write_text(CONFIG.read_text(encoding="utf-8").partition("skip-check:")[0], encoding="utf-8")
    status, report = checked(template, tmp_path, without)
    assert {failed["check_id"] for failed in report["results"]["failed_checks"]} == exceptions().keys()
    assert report["summary"]["passed"] > 40
    assert report["summary"]["parsing_errors"] == 0
    assert status == 1


def test_every_rule_that_is_left_out_has_a_reason() -> None:
    listed = CONFIG.read_text(encoding="utf-8").partition("skip-check:")[2].strip().splitlines()
    assert len(exceptions()) == len(listed) > 0
    assert all(exceptions().values())


def test_a_public_bucket_fails(template: dict[str, Any], tmp_path: Path) -> None:
    holed = json.loads(json.dumps(template))
    del holed["Resources"]["ModelBucket"]["Properties"]["PublicAccessBlockConfiguration"]
    status, report = checked(holed, tmp_path, CONFIG)
    found = {(failed["check_id"], failed["resource"]) for failed in report["results"]["failed_checks"]}
    assert status == 1
    assert {resource for _, resource in found} == {"AWS::S3::Bucket.ModelBucket"}
    assert "CKV_AWS_53" in {rule for rule, _ in found}
