"""What the functions are made of: known vulnerabilities and licences of every locked package.

    python -m monitory_local.artifacts.audit              look for vulnerabilities; fails on one, and without any source
    python -m monitory_local.artifacts.audit --licences   list the licences

There are two sources: the package registry that is configured, and `advisories.json` beside this file. The list is a
floor with a date: it holds what its authors knew that day, and does not count once it is a year old.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import NamedTuple

import msgspec
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from monitory_local.artifacts.wheels import Pin, read_lock

ROOT = Path(__file__).resolve().parents[3]
LOCKS = (
    "layers/shared/requirements.txt",
    "layers/shared/requirements-native.txt",
    "functions/predict/requirements.txt",
    "functions/retrain/requirements.txt",
)
ADVISORIES = Path(__file__).with_name("advisories.json")
LIST_VALIDITY = timedelta(days=365)
LOOKUP_SECONDS = 300
VULNERABLE = 1
INCONCLUSIVE = 3
_PERMISSIVE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Zlib|0BSD|MPL-2\.0|Mozilla Public License 2\.0|Unlicense|HPND",
    re.I,
)
_COPYLEFT = re.compile(r"\b(A?GPL|LGPL|SSPL|BUSL)\b|General Public License")


@dataclass(frozen=True)
class Package:
    """A locked package that is deployed."""

    name: str
    version: str
    licence: str

    @property
    def is_permissive(self) -> bool:
        """Whether its licence asks for attribution only."""
        return bool(_PERMISSIVE.search(self.licence)) and not _COPYLEFT.search(self.licence)


@dataclass(frozen=True)
class Finding:
    """A known vulnerability of a locked package; `fix` says which releases do not have it."""

    package: str
    identifier: str
    fix: str


class Lookup(NamedTuple):
    """What the registry answers about a lock: findings, packages that it covers, packages that it does not."""

    findings: list[Finding]
    covers: int
    misses: int


class Advisory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A vulnerability, and the releases of a package that it affects (a version specifier)."""

    package: str
    affected: str
    id: str


class Advisories(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The list beside this file.

    Attributes:
        day: of its texts.
        about: what it is and isn't.
        advisories: one a vulnerability.
    """

    day: date
    about: str
    advisories: tuple[Advisory, ...]

    def is_valid(self, today: date) -> bool:
        """Whether it is young enough, and not empty."""
        return bool(self.advisories) and today - self.day <= LIST_VALIDITY

    def findings(self, releases: Iterable[tuple[str, str]]) -> list[Finding]:
        """The vulnerabilities of some releases, each a name and a version."""
        return [
            Finding(f"{name} {version}", advisory.id, f"releases beyond {advisory.affected}")
            for name, version in releases
            for advisory in self.advisories
            if advisory.package == canonicalize_name(name)
            and SpecifierSet(advisory.affected).contains(version, prereleases=True)
        ]


def pins(lock: str) -> Mapping[str, Pin]:
    """The packages of a lock by name."""
    return read_lock(ROOT / lock)


def packages() -> list[Package]:
    """Every deployed package with the licence in its own metadata; packages not installed here are left out."""
    installed = {}
    for pin in (pin for lock in LOCKS for pin in pins(lock).values()):
        try:
            installed[pin.name] = Package(pin.name, pin.version, _licence(pin.name))
        except PackageNotFoundError:
            continue
    return [installed[name] for name in sorted(installed)]


def _licence(name: str) -> str:
    fields = metadata(name)
    classifiers = [text for text in fields.get_all("Classifier") or [] if "License ::" in text]
    texts = [*(fields.get_all("License-Expression") or []), *(text.rpartition(":: ")[2] for text in classifiers)]
    texts = texts or [text.strip().splitlines()[0][:80] for text in fields.get_all("License") or [] if text.strip()]
    return "; ".join(texts) or "unknown"


def advisories() -> Advisories:
    """The list beside this file."""
    return msgspec.json.decode(ADVISORIES.read_bytes(), type=Advisories)


def look_up(lock: str) -> Lookup:
    """What the registry knows of a lock; a registry that does not answer in time covers nothing."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(ROOT / lock), "--no-deps", "--disable-pip"]
    command += ["--vulnerability-service", "pypi", "--format", "json", "--progress-spinner", "off", "--timeout", "15"]
    count = len(pins(lock))
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=LOOKUP_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Lookup([], 0, count)
    return parse_report(process.stdout, count)


def parse_report(report: str, count: int) -> Lookup:
    """The findings in a report of pip-audit on `count` packages; a text that is no report covers nothing."""
    try:
        items = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Lookup([], 0, count)
    answers = [item for item in items if "skip_reason" not in item]
    findings = [
        Finding(f"{item['name']} {item['version']}", fault["id"], ", ".join(fault["fix_versions"]) or "no release")
        for item in answers
        for fault in item["vulns"]
    ]
    return Lookup(findings, len(answers), len(items) - len(answers))


def audit(today: date) -> int:
    """Print what both sources know; the exit status."""
    findings: list[Finding] = []
    covers = 0
    for lock in LOCKS:
        lookup = look_up(lock)
        findings += lookup.findings
        covers += lookup.covers
        print(f"{lock}: the registry has records of {lookup.covers} packages and none of {lookup.misses}")
    if not covers:
        print("the configured registry serves no advisories")
    committed = advisories()
    title = f"the committed list of {committed.day} ({len(committed.advisories)} advisories)"
    if committed.is_valid(today):
        releases = sorted({(pin.name, pin.version) for lock in LOCKS for pin in pins(lock).values()})
        affected = committed.findings(releases)
        findings += affected
        print(f"{title} affects {len(affected)} of {len(releases)} packages; later advisories are not in it")
    else:
        print(f"{title} is out of date or empty, and does not count")
    for finding in findings:
        print(f"{finding.package}: {finding.identifier}, fixed in {finding.fix}")
    if findings:
        return VULNERABLE
    if not covers and not committed.is_valid(today):
        print("no source has answered: this is no all-clear", file=sys.stderr)
        return INCONCLUSIVE
    return 0


def main(argv: Sequence[str] | None = None) -> None:
    """Print what is known; fail on a vulnerability, and where no source answers."""
    parser = argparse.ArgumentParser(
        prog="python -m monitory_local.artifacts.audit", description="Vulnerabilities and licences."
    )
    parser.add_argument("--licences", action="store_true", help="list the licences of what is deployed")
    if parser.parse_args(argv).licences:
        for package in packages():
            print(f"{package.name} {package.version}: {package.licence}")
        return
    sys.exit(audit(datetime.now(UTC).date()))


if __name__ == "__main__":
    main()
