"""Stores a version: model, card, metrics, verdict and report, under a free name."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import msgspec

from monitory.errors import Conflict, ModelError
from monitory.model.card import decode_card
from monitory.registry.registry import CARD_FILE, METRICS_FILE, MODEL_FILE, Registry
from monitory.registry.version import Version
from monitory_retrain import model_card, pipeline, report
from monitory_retrain.model_card import JUDGED_FILE
from monitory_retrain.report import Findings

VERDICT_FILE = "verdict.json"
REPORT_FILE = "report.html"


def store(registry: Registry, findings: Findings) -> str:
    """Store a version under the name on its card, or the next free one; an identical version is stored once.

    A job that dies before the promotion leaves its version behind. A second version of the same text would have the
    same ETag once served, which would hide the promotion from conditional reads.

    Returns:
        The version.
    """
    if version := _identical(registry, findings):
        return version
    name = Version.parse(findings.card.version)
    while True:
        named = replace(findings, card=msgspec.structs.replace(findings.card, version=str(name)))
        try:
            registry.store(str(name), _files(named))
        except Conflict:
            name = name.later()
        else:
            return str(name)


def _identical(registry: Registry, findings: Findings) -> str | None:
    """The newest version with the model of the findings and with their card, but for its name and time."""
    for version in registry.versions_of(findings.challenger.trained.text.encode()):
        with suppress(ModelError):
            stored = registry.read(version, CARD_FILE)
            same = msgspec.structs.replace(findings.card, version=version, trained_at=decode_card(stored).trained_at)
            if model_card.encode(same) == stored:
                return version
    return None


def _files(findings: Findings) -> dict[str, tuple[bytes, str]]:
    json, text = "application/json", "text/plain; charset=utf-8"
    champion = findings.champion.scores if findings.champion else None
    return {
        MODEL_FILE: (findings.challenger.trained.text.encode(), text),
        JUDGED_FILE: (findings.challenger.judged.trained.text.encode(), text),
        CARD_FILE: (model_card.encode(findings.card), json),
        METRICS_FILE: (_json(pipeline.metrics(findings.challenger)), json),
        VERDICT_FILE: (_json({"verdict": findings.verdict, "champion": champion}), json),
        REPORT_FILE: (report.render(findings), "text/html; charset=utf-8"),
    }


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)
