"""What the functions are made of."""

import json

from monitory_local import audit


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
    assert audit.read_findings(report, 2) == ([audit.Finding("a 1", "PYSEC-1", "2")], 1, 1)


def test_no_report_is_no_all_clear() -> None:
    assert audit.read_findings("", 7) == ([], 0, 7)
