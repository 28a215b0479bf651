"""What the functions are made of."""

import json
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from monitory_local.artifacts import audit
from monitory_local.artifacts.audit import Advisories, Advisory, Finding, Lookup

TODAY = date(2026, 11, 25)
SILENT = Lookup([], 0, 9)
CLEAR = Lookup([], 9, 0)
HARMLESS = Advisory("idna", "<3.7", "CVE-1")
HARMFUL = Advisory("idna", ">=3.7", "CVE-2")


def test_every_deployed_package_has_a_permissive_licence() -> None:
    packages = audit.packages()
    assert len(packages) > 30
    assert [package for package in packages if not package.is_permissive] == []


def test_copyleft_and_unknown_licences_are_not_permissive() -> None:
    assert not audit.Package("x", "1", "GNU Lesser General Public License v3 (LGPLv3)").is_permissive
    assert not audit.Package("x", "1", "unknown").is_permissive


def test_findings_are_read_and_packages_without_records_are_counted() -> None:
    vulnerable = {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
    skipped = {"name": "b", "skip_reason": "not found"}
    report = json.dumps({"dependencies": [vulnerable, skipped]})
    assert audit.parse_report(report, 2) == Lookup([Finding("a 1", "PYSEC-1", "2")], 1, 1)


def test_no_report_is_no_all_clear() -> None:
    assert audit.parse_report("", 7) == Lookup([], 0, 7)


def test_a_registry_that_does_not_answer_in_time_covers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "LOOKUP_SECONDS", 0.001)
    lock = audit.LOCKS[0]
    assert audit.look_up(lock) == Lookup([], 0, len(audit.pins(lock)))


@pytest.mark.parametrize(
    ("registry", "advisory", "age", "status"),
    [
        (CLEAR, HARMLESS, 0, 0),
        (SILENT, HARMLESS, 0, 0),
        (SILENT, HARMLESS, 365, 0),
        (SILENT, HARMLESS, 366, audit.INCONCLUSIVE),
        (CLEAR, HARMLESS, 366, 0),
        (SILENT, None, 0, audit.INCONCLUSIVE),
        (CLEAR, None, 0, 0),
        (SILENT, HARMFUL, 0, audit.VULNERABLE),
        (CLEAR, HARMFUL, 0, audit.VULNERABLE),
        (Lookup([Finding("a 1", "PYSEC-1", "2")], 9, 0), HARMLESS, 0, audit.VULNERABLE),
    ],
)
def test_the_audit_fails_on_a_vulnerability_and_without_any_source(
    registry: Lookup,
    advisory: Advisory | None,
    age: int,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    committed = Advisories(TODAY - timedelta(days=age), "", (advisory,) if advisory else ())
    file = tmp_path / "advisories.json"
    file.write_bytes(msgspec.json.encode(committed))
    monkeypatch.setattr(audit, "ADVISORIES", file)
    monkeypatch.setattr(audit, "look_up", lambda lock: registry)
    assert audit.audit(TODAY) == status
    output = capsys.readouterr()
    assert f"the committed list of {committed.day}" in output.out
    assert ("no all-clear" in output.err) == (status == audit.INCONCLUSIVE)
    assert ("serves no advisories" in output.out) == (registry.covers == 0)
    assert ("CVE-2" in output.out) == (advisory is HARMFUL)


def test_the_exit_status_is_the_audits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "audit", lambda today: audit.INCONCLUSIVE)
    with pytest.raises(SystemExit) as exit_:
        audit.main([])
    assert exit_.value.code == audit.INCONCLUSIVE


def test_the_list_names_deployed_packages_once_and_none_of_their_locked_releases() -> None:
    committed = audit.advisories()
    releases = {(pin.name, pin.version) for lock in audit.LOCKS for pin in audit.pins(lock).values()}
    assert {advisory.package for advisory in committed.advisories} <= {name for name, _ in releases}
    pairs = {(advisory.package, advisory.id) for advisory in committed.advisories}
    assert len(pairs) == len(committed.advisories) > 20
    assert committed.findings(releases) == []
    assert committed.findings([("PyArrow", "14.0.0"), ("pyarrow", "14.0.1"), ("pyarrow", "15.0.0rc1")]) == [
        Finding("PyArrow 14.0.0", "CVE-2023-47248", "releases beyond >=0.14.0,<14.0.1")
    ]
