"""What the functions are made of: known vulnerabilities and licences of every locked package.

    python -m monitory_local.audit              ask the registry for vulnerabilities; fails on a known one
    python -m monitory_local.audit --licences   list the licences

A registry that doesn't answer, or doesn't know advisories, is said and isn't a failure: what is known is the same as
yesterday.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = (
    "layers/shared/requirements.txt",
    "layers/shared/requirements-native.txt",
    "functions/predict/requirements.txt",
    "functions/retrain/requirements.txt",
)
SECONDS = 300
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
    """A known vulnerability of a locked package."""

    package: str
    identifier: str
    fixed_in: str


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


def vulnerabilities(lock: Path) -> tuple[list[Finding], int, int]:
    """Known vulnerabilities of a lock's packages, how many were looked up and how many could not be."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--no-deps", "--disable-pip"]
    command += ["--vulnerability-service", "pypi", "--format", "json", "--progress-spinner", "off", "--timeout", "15"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    return read_findings(ended.stdout, len(list(pinned(lock))))


def read_findings(report: str, count: int) -> tuple[list[Finding], int, int]:
    """What a report of pip-audit says; one that isn't any looked up nothing of `count`."""
    try:
        listed = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return [], 0, count
    known = [item for item in listed if "skip_reason" not in item]
    findings = [
        Finding(f"{item['name']} {item['version']}", fault["id"], ", ".join(fault["fix_versions"]) or "no release")
        for item in known
        for fault in item["vulns"]
    ]
    return findings, len(known), len(listed) - len(known)


def main(argv: Sequence[str] | None = None) -> None:
    """Print what is known, and fail on a vulnerability."""
    parser = argparse.ArgumentParser(prog="python -m monitory_local.audit", description="Vulnerabilities and licences.")
    parser.add_argument("--licences", action="store_true", help="list the licences of what is deployed")
    if parser.parse_args(argv).licences:
        for package in packages():
            print(f"{package.name} {package.version}: {package.licence}")
        return
    findings: list[Finding] = []
    for lock in LOCKS:
        try:
            found, known, unknown = vulnerabilities(ROOT / lock)
        except subprocess.TimeoutExpired:
            found, known, unknown = [], 0, len(list(pinned(ROOT / lock)))
        findings += found
        print(f"{lock}: {known} packages looked up, {unknown} could not be, {len(found)} vulnerabilities")
        if not known:
            print("  the registry that is configured here gave no advisories: run this where it does")
    for finding in findings:
        print(f"{finding.package}: {finding.identifier}, fixed in {finding.fixed_in}")
    if findings:
        sys.exit(1)


if __name__ == "__main__":
    main()
