"""How a version is stored: its model, card, metrics, verdict and report, under a name that is free."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import msgspec

from monitory.errors import Conflict, ModelError
from monitory.model.model import decode_card
from monitory.registry.registry import CARD_FILE, METRICS_FILE, MODEL_FILE, Registry
from monitory.registry.version import Version
from monitory_retrain import model_card, pipeline, report
from monitory_retrain.report import Findings

VERDICT_FILE = "verdict.json"
REPORT_FILE = "report.html"


def store(registry: Registry, found: Findings) -> str:
    """Store a version under the name on its card or the first one after it that is free, unless it is stored already.

    A run that died before it could promote has left its version; a second one of the same text would have the same
    ETag where it is served, which hides a promotion from those who ask whether the object changed.

    Returns:
        The version.
    """
    if stored := _stored(registry, found):
        return stored
    version = Version.parse(found.card.version)
    while True:
        named = replace(found, card=msgspec.structs.replace(found.card, version=str(version)))
        try:
            registry.store(str(version), _files(named))
        except Conflict:
            version = version.later()
        else:
            return str(version)


def _stored(registry: Registry, found: Findings) -> str | None:
    """The newest version with the model of the findings and with their card, but for its name and time."""
    for version in registry.versions_of(found.challenger.trained.text.encode()):
        with suppress(ModelError):
            made = registry.read(version, CARD_FILE)
            same = msgspec.structs.replace(found.card, version=version, trained_at=decode_card(made).trained_at)
            if model_card.encode(same) == made:
                return version
    return None


def _files(found: Findings) -> dict[str, tuple[bytes, str]]:
    json = "application/json"
    champion = found.champion.scores if found.champion else None
    return {
        MODEL_FILE: (found.challenger.trained.text.encode(), "text/plain; charset=utf-8"),
        CARD_FILE: (model_card.encode(found.card), json),
        METRICS_FILE: (_json(pipeline.metrics(found.challenger)), json),
        VERDICT_FILE: (_json({"verdict": found.verdict, "champion": champion}), json),
        REPORT_FILE: (report.render(found), "text/html; charset=utf-8"),
    }


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)
