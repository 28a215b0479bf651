"""What the functions are made of."""

import json
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from monitory_local import audit
from monitory_local.audit import Advisories, Advisory, Finding, Looked

TODAY = date(2026, 11, 25)
SILENT = Looked([], 0, 9)
CLEAR = Looked([], 9, 0)
HARMLESS = Advisory("idna", "<3.7", "CVE-1")
HARMFUL = Advisory("idna", ">=3.7", "CVE-2")


def test_every_deployed_package_states_a_licence_that_only_wants_to_be_named() -> None:
    found = audit.packages()
    assert len(found) > 30
    assert [package for package in found if not package.is_free_to_ship] == []


def test_a_licence_that_wants_more_is_seen() -> None:
    assert not audit.Package("x", "1", "GNU Lesser General Public License v3 (LGPLv3)").is_free_to_ship
    assert not audit.Package("x", "1", "unknown").is_free_to_ship


def test_findings_are_read_and_what_could_not_be_looked_up_is_counted() -> None:
    vulnerable = {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
    skipped = {"name": "b", "skip_reason": "not found"}
    report = json.dumps({"dependencies": [vulnerable, skipped]})
    assert audit.read_findings(report, 2) == Looked([Finding("a 1", "PYSEC-1", "2")], 1, 1)


def test_no_report_is_no_all_clear() -> None:
    assert audit.read_findings("", 7) == Looked([], 0, 7)


def test_a_registry_that_does_not_answer_in_time_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "SECONDS", 0.001)
    lock = audit.ROOT / audit.LOCKS[0]
    assert audit.vulnerabilities(lock) == Looked([], 0, len(list(audit.pinned(lock))))


@pytest.mark.parametrize(
    ("registry", "advisory", "age", "status"),
    [
        (CLEAR, HARMLESS, 0, 0),
        (SILENT, HARMLESS, 0, 0),
        (SILENT, HARMLESS, 365, 0),
        (SILENT, HARMLESS, 366, audit.NOBODY_COULD_TELL),
        (CLEAR, HARMLESS, 366, 0),
        (SILENT, None, 0, audit.NOBODY_COULD_TELL),
        (CLEAR, None, 0, 0),
        (SILENT, HARMFUL, 0, audit.VULNERABLE),
        (CLEAR, HARMFUL, 0, audit.VULNERABLE),
        (Looked([Finding("a 1", "PYSEC-1", "2")], 9, 0), HARMLESS, 0, audit.VULNERABLE),
    ],
)
def test_the_audit_fails_on_what_is_known_and_where_nobody_could_tell(
    registry: Looked,
    advisory: Advisory | None,
    age: int,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    listed = Advisories(TODAY - timedelta(days=age), "", (advisory,) if advisory else ())
    written = tmp_path / "advisories.json"
    written.write_bytes(msgspec.json.encode(listed))
    monkeypatch.setattr(audit, "ADVISORIES", written)
    monkeypatch.setattr(audit, "vulnerabilities", lambda lock: registry)
    assert audit.audit(TODAY) == status
    told = capsys.readouterr()
    assert f"the committed list of {listed.read}" in told.out
    assert ("no all-clear" in told.err) == (status == audit.NOBODY_COULD_TELL)
    assert ("serves no advisories" in told.out) == (registry.known == 0)
    assert ("CVE-2" in told.out) == (advisory is HARMFUL)


def test_the_exit_status_is_the_audits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "audit", lambda today: audit.NOBODY_COULD_TELL)
    with pytest.raises(SystemExit) as ended:
        audit.main([])
    assert ended.value.code == audit.NOBODY_COULD_TELL


def test_the_list_names_deployed_packages_once_and_none_of_their_locked_releases() -> None:
    listed = audit.advisories()
    locked = {package for lock in audit.LOCKS for package in audit.pinned(audit.ROOT / lock)}
    assert {advisory.package for advisory in listed.advisories} <= {name for name, _ in locked}
    assert len({(advisory.package, advisory.id) for advisory in listed.advisories}) == len(listed.advisories) > 20
    assert listed.findings(locked) == []
    assert listed.findings([("PyArrow", "14.0.0"), ("pyarrow", "14.0.1"), ("pyarrow", "15.0.0rc1")]) == [
        Finding("PyArrow 14.0.0", "CVE-2023-47248", "releases beyond >=0.14.0,<14.0.1")
    ]
