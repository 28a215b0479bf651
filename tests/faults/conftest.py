"""The table of faults: what was tried, how often, what was lost, what the caller saw."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from monitory.storage.s3 import S3Storage
from monitory_local.s3 import S3
from tests.support.processes import Processes, mortals
from tests.support.proxy import Proxy
from tests.support.world import REGION, World


@dataclass
class Line:
    """One line of the table."""

    tries: int = 0
    lost: int = 0
    seen: Counter[str] = field(default_factory=Counter)


class Ledger:
    """Collects what the suite tried."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, str], Line] = {}

    def note(self, part: str, fault: str, seen: str, *, tries: int = 1, lost: int = 0) -> None:
        """So many tries of a fault on a part of the service, what was lost, and what its caller saw."""
        line = self.lines.setdefault((part, fault), Line())
        line.tries += tries
        line.lost += lost
        line.seen[seen] += tries

    def table(self) -> list[str]:
        """The table as text."""
        rows = [("part", "fault", "tries", "lost", "what the caller saw")]
        for (part, fault), line in sorted(self.lines.items()):
            seen = "; ".join(f"{what} ({count:,})" if len(line.seen) > 1 else what for what, count in line.seen.items())
            rows.append((part, fault, f"{line.tries:,}", f"{line.lost:,}", seen))
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        aligned = "<", "<", ">", ">"
        lines = [
            "  ".join(f"{cell:{align}{width}}" for cell, align, width in zip(row[:4], aligned, widths, strict=True))
            + f"  {row[4]}"
            for row in rows
        ]
        total = f"{sum(line.tries for line in self.lines.values()):,} tries, "
        return [*lines, total + f"{sum(line.lost for line in self.lines.values()):,} lost"]


_LEDGER = Ledger()


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    """Where tests of this suite write what they tried."""
    return _LEDGER


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    if _LEDGER.lines:
        terminalreporter.section("faults")
        for line in _LEDGER.table():
            terminalreporter.write_line(line)


@pytest.fixture
def proxy(s3: S3, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy before the embedded server; the product's clients that are made from now on go through it."""
    with Proxy(s3.endpoint) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        yield running


@pytest.fixture
def world(s3: S3, lake_bucket: str, model_bucket: str) -> World:
    """Both buckets, with one model served; made before the proxy, so that it sees past it."""
    made = World(S3Storage(lake_bucket, region=REGION), S3Storage(model_bucket, region=REGION))
    made.promote()
    return made


@pytest.fixture(scope="session")
def processes(s3_server: S3) -> Iterator[Processes]:
    """Processes that die when they are told to, beside the embedded server."""
    with mortals(s3_server.environment) as running:
        yield running
