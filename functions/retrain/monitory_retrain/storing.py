"""How a version is stored: its model, card, metrics, verdict and report, under a name that is free."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from monitory.errors import Conflict
from monitory.registry import CARD_FILE, METRICS_FILE, MODEL_FILE, Registry
from monitory.version import Version
from monitory_retrain import card, learning, report
from monitory_retrain.report import Findings

VERDICT_FILE = "verdict.json"
REPORT_FILE = "report.html"


def store(registry: Registry, findings_of: Callable[[str, str], Findings]) -> str:
    """Store a version under the first free second from now.

    Args:
        registry: where to.
        findings_of: what was found, of a version that is trained at a time, ISO 8601.

    Returns:
        The version.
    """
    now = datetime.now(UTC)
    version = Version.at(now)
    while True:
        try:
            registry.store(str(version), _files(findings_of(str(version), now.isoformat(timespec="seconds"))))
        except Conflict:
            version = version.later()
        else:
            return str(version)


def _files(found: Findings) -> dict[str, tuple[bytes, str]]:
    json = "application/json"
    champion = found.champion.scores if found.champion else None
    return {
        MODEL_FILE: (found.challenger.trained.text.encode(), "text/plain; charset=utf-8"),
        CARD_FILE: (card.encode(found.card), json),
        METRICS_FILE: (_json(learning.metrics(found.challenger)), json),
        VERDICT_FILE: (_json({"verdict": found.verdict, "champion": champion}), json),
        REPORT_FILE: (report.render(found), "text/html; charset=utf-8"),
    }


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)
