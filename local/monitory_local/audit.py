"""What the functions are made of: known vulnerabilities and licences of every locked package.

    python -m monitory_local.audit              look for vulnerabilities; fails on one, and where nobody could tell
    python -m monitory_local.audit --licences   list the licences

Two sources are asked: the registry that is configured, and `advisories.json` beside this file. The list is a floor with
a date: it says what was known to those who wrote it, and once it's a year old it counts for nothing.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import NamedTuple

import msgspec
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = (
    "layers/shared/requirements.txt",
    "layers/shared/requirements-native.txt",
    "functions/predict/requirements.txt",
    "functions/retrain/requirements.txt",
)
ADVISORIES = Path(__file__).with_name("advisories.json")
LIST_IS_GOOD_FOR = timedelta(days=365)
SECONDS = 300
VULNERABLE = 1
NOBODY_COULD_TELL = 3
_PINNED = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", re.MULTILINE)
_FREE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Zlib|0BSD|MPL-2\.0|Mozilla Public License 2\.0|Unlicense|HPND",
    re.I,
)
_SHARED_ALIKE = re.compile(r"\b(A?GPL|LGPL|SSPL|BUSL)\b|General Public License")


@dataclass(frozen=True)
class Package:
    """A locked package that is deployed."""

    name: str
    version: str
    licence: str

    @property
    def is_free_to_ship(self) -> bool:
        """Whether its licence asks for no more than to be named."""
        return bool(_FREE.search(self.licence)) and not _SHARED_ALIKE.search(self.licence)


@dataclass(frozen=True)
class Finding:
    """A known vulnerability of a locked package; `mended` says by which releases."""

    package: str
    identifier: str
    mended: str


class Looked(NamedTuple):
    """What a source knows of a lock, how many packages it was asked for, and of how many it knows nothing."""

    findings: list[Finding]
    known: int
    unknown: int


class Advisory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Releases of a package that are affected by something."""

    package: str
    affected: str
    id: str


class Advisories(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The list that lies beside this file.

    Attributes:
        read: the day on which its texts were read.
        about: what it is and isn't.
        advisories: what was found.
    """

    read: date
    about: str
    advisories: tuple[Advisory, ...]

    def is_good(self, today: date) -> bool:
        """Whether it is young enough, and no empty paper."""
        return bool(self.advisories) and today - self.read <= LIST_IS_GOOD_FOR

    def findings(self, locked: Iterable[tuple[str, str]]) -> list[Finding]:
        """Locked releases that are affected."""
        return [
            Finding(f"{name} {version}", advisory.id, f"releases beyond {advisory.affected}")
            for name, version in locked
            for advisory in self.advisories
            if advisory.package == canonicalize_name(name)
            and SpecifierSet(advisory.affected).contains(version, prereleases=True)
        ]


def pinned(lock: Path) -> Iterator[tuple[str, str]]:
    """Names and versions in a lock."""
    for match in _PINNED.finditer(lock.read_text()):
        yield match.group(1), match.group(2)


def packages() -> list[Package]:
    """Every deployed package with the licence that it states itself; those that aren't installed here are left out."""
    found = {}
    for lock in LOCKS:
        for name, version in pinned(ROOT / lock):
            try:
                found[name] = Package(name, version, _licence(name))
            except PackageNotFoundError:
                continue
    return [found[name] for name in sorted(found)]


def _licence(name: str) -> str:
    told = metadata(name)
    classified = [text for text in told.get_all("Classifier") or [] if "License ::" in text]
    stated = [*(told.get_all("License-Expression") or []), *(text.rpartition(":: ")[2] for text in classified)]
    stated = stated or [text.strip().splitlines()[0][:80] for text in told.get_all("License") or [] if text.strip()]
    return "; ".join(stated) or "unknown"


def advisories() -> Advisories:
    """The list that lies beside this file."""
    return msgspec.json.decode(ADVISORIES.read_bytes(), type=Advisories)


def vulnerabilities(lock: Path) -> Looked:
    """What the registry knows of a lock."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--no-deps", "--disable-pip"]
    command += ["--vulnerability-service", "pypi", "--format", "json", "--progress-spinner", "off", "--timeout", "15"]
    count = len(list(pinned(lock)))
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Looked([], 0, count)
    return read_findings(ended.stdout, count)


def read_findings(report: str, count: int) -> Looked:
    """What a report of pip-audit says; one that isn't any looked up nothing of `count`."""
    try:
        listed = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Looked([], 0, count)
    known = [item for item in listed if "skip_reason" not in item]
    findings = [
        Finding(f"{item['name']} {item['version']}", fault["id"], ", ".join(fault["fix_versions"]) or "no release")
        for item in known
        for fault in item["vulns"]
    ]
    return Looked(findings, len(known), len(listed) - len(known))


def audit(today: date) -> int:
    """Print what both sources know; the exit status."""
    findings: list[Finding] = []
    asked = 0
    for lock in LOCKS:
        looked = vulnerabilities(ROOT / lock)
        findings += looked.findings
        asked += looked.known
        print(f"{lock}: the registry knows {looked.known} packages, of {looked.unknown} it told nothing")
    if not asked:
        print("the registry that is configured here serves no advisories")
    listed = advisories()
    named = f"the committed list of {listed.read} ({len(listed.advisories)} advisories)"
    if listed.is_good(today):
        locked = sorted({package for lock in LOCKS for package in pinned(ROOT / lock)})
        affected = listed.findings(locked)
        findings += affected
        print(f"{named}: {len(affected)} of {len(locked)} packages' releases are affected; it holds nothing newer")
    else:
        print(f"{named} is too old or empty to tell anything")
    for finding in findings:
        print(f"{finding.package}: {finding.identifier}, mended in {finding.mended}")
    if findings:
        return VULNERABLE
    if not asked and not listed.is_good(today):
        print("no source could be asked: this is no all-clear", file=sys.stderr)
        return NOBODY_COULD_TELL
    return 0


def main(argv: Sequence[str] | None = None) -> None:
    """Print what is known, and fail on a vulnerability or where no source could be asked."""
    parser = argparse.ArgumentParser(prog="python -m monitory_local.audit", description="Vulnerabilities and licences.")
    parser.add_argument("--licences", action="store_true", help="list the licences of what is deployed")
    if parser.parse_args(argv).licences:
        for package in packages():
            print(f"{package.name} {package.version}: {package.licence}")
        return
    sys.exit(audit(datetime.now(UTC).date()))


if __name__ == "__main__":
    main()
