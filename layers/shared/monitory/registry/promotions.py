"""Promotions: their form in the served object's metadata, and their immutable records.

promotions/000001.json                  one record per promotion or rollback
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from urllib.parse import quote_plus, unquote_plus

import msgspec

from monitory.errors import (
    UNDECODABLE,
    ObjectNotFound,
    PreconditionFailed,
    StorageError,
    StorageUnavailable,
    UnknownVersion,
)
from monitory.registry.version import Version
from monitory.storage.port import Storage

FOLDER = "promotions"
ROLLBACK = "rollback"
PROMOTE = "promote"

MAX_BY_BYTES, MAX_REASON_BYTES, MAX_REQUEST_BYTES = 200, 1200, 100
"""Of the encoded texts in an object's metadata; S3 allows 2 KB in all."""


class Promotion(msgspec.Struct, frozen=True):
    """A change of the served model.

    Attributes:
        number: counts from 1 without gaps; in the served object's metadata, the next free one at the time.
        action: `promote` or `rollback`.
        version: what is served from then on.
        replaced: what was served before; None for the first.
        at: when, ISO 8601 in UTC.
        by: who requests it: `schedule`, or the event's `by`.
        reason: why, in words.
        score, replaced_score: both models' hold-out MAE in days, where they were compared.
        request: the invocation's id, the same in its retries; None where unknown.
    """

    number: int
    action: str
    version: str
    replaced: str | None
    at: str
    by: str
    reason: str
    score: float | None = None
    replaced_score: float | None = None
    request: str | None = None


def shortened(text: str, most: int) -> str:
    """The longest beginning of a text that fits into `most` bytes of metadata; lone surrogates are replaced."""
    text = text.encode(errors="replace").decode()
    while len(quote_plus(text)) > most:
        text = text[: -max((len(quote_plus(text)) - most) // len("%EC%9D%B4"), 1)]
    return text


def finite(score: float | None) -> float | None:
    """A score; None for NaN and infinity."""
    return score if score is not None and math.isfinite(score) else None


def metadata(promotion: Promotion, model: bytes) -> dict[str, str]:
    """The object metadata of a promoted model text: ASCII, percent-encoded."""
    fields = {
        "version": promotion.version,
        "sha256": hashlib.sha256(model).hexdigest(),
        "promotion": str(promotion.number),
        "action": promotion.action,
        "replaced": promotion.replaced or "",
        "at": promotion.at,
        "by": quote_plus(promotion.by),
        "reason": quote_plus(promotion.reason, safe=",.:;()/<>="),
        "score": "" if promotion.score is None else repr(promotion.score),
        "replaced-score": "" if promotion.replaced_score is None else repr(promotion.replaced_score),
        "request": quote_plus(promotion.request or ""),
    }
    return {name: value for name, value in fields.items() if value}


def from_metadata(fields: Mapping[str, str]) -> Promotion | None:
    """The promotion in an object's metadata; None where there is none or it is incomplete."""
    try:
        return Promotion(
            number=int(fields["promotion"]),
            action=fields["action"],
            version=str(Version.parse(fields["version"])),
            replaced=fields.get("replaced"),
            at=fields["at"],
            by=unquote_plus(fields.get("by", "")),
            reason=unquote_plus(fields.get("reason", "")),
            score=float(fields["score"]) if "score" in fields else None,
            replaced_score=float(fields["replaced-score"]) if "replaced-score" in fields else None,
            request=unquote_plus(fields["request"]) if "request" in fields else None,
        )
    except (KeyError, ValueError, UnknownVersion):
        return None


def previous_version(history: Iterable[Promotion], served: Promotion | None) -> str | None:
    """The version served before the present one; None where there is none.

    Args:
        history: all promotions, oldest first.
        served: the promotion of the served object; None where that is foreign or gone.
    """
    stack: list[str] = []
    for promotion in history:
        if promotion.replaced and promotion.replaced not in stack[-1:]:
            stack.append(promotion.replaced)
        if promotion.action == ROLLBACK and promotion.version in stack:
            while stack[-1] != promotion.version:
                stack.pop()
        elif promotion.version not in stack[-1:]:
            stack.append(promotion.version)
    if served and served.version in stack[-1:]:
        stack.pop()
    return stack[-1] if stack else None


class History:
    """The promotion records of a bucket."""

    def __init__(self, storage: Storage) -> None:
        """Nothing is read yet."""
        self._storage = storage

    def numbers(self) -> list[int]:
        """The records' numbers, ascending; other objects in the folder are ignored."""
        numbers = []
        for entry in self._storage.list(FOLDER):
            number = entry.key.rpartition("/")[2].removesuffix(".json")
            if number.isdecimal() and entry.key == _key(int(number)):
                numbers.append(int(number))
        return sorted(numbers)

    def read(self, newest: int | None, executor: Executor | None) -> list[Promotion]:
        """The promotions, oldest first: all, or the `newest` ones; an executor reads them in parallel."""
        numbers = self.numbers()[-newest:] if newest else self.numbers()
        promotions = (executor.map if executor else map)(self._recorded, numbers)
        return [promotion for promotion in promotions if promotion]

    def holds(self, promotion: Promotion) -> bool:
        """Whether a promotion is recorded."""
        return self._place(promotion)[1]

    def add(self, promotion: Promotion) -> Promotion:
        """Record a promotion once, and return it with the number of its record.

        Raises:
            StorageUnavailable: the store refuses to create a record that does not exist.
        """
        previous: int | None = None
        while True:
            number, is_recorded = self._place(promotion)
            if number == previous and not is_recorded:
                raise StorageUnavailable(f"s3://{self._storage.name}/{_key(number)} can neither be read nor be created")
            previous = number
            record = msgspec.structs.replace(promotion, number=number)
            if is_recorded:
                return record
            body = msgspec.json.format(msgspec.json.encode(record), indent=2)
            with suppress(PreconditionFailed):  # another run was first: with this record, or with its own
                self._storage.put(_key(number), body, content_type="application/json", create=True)

    def _place(self, promotion: Promotion) -> tuple[int, bool]:
        """The number of a promotion's record, or of the next free one, and whether it is recorded.

        Its own number may be taken: a foreign write over the served object can hide a promotion before it is recorded,
        or bring back an old one.
        """
        number = promotion.number
        while recorded := self._recorded(number):
            if recorded == msgspec.structs.replace(promotion, number=number):
                return number, True
            number += 1
        return number, False

    def _recorded(self, number: int) -> Promotion | None:
        try:
            return msgspec.json.decode(self._storage.get(_key(number)).body, type=Promotion)
        except ObjectNotFound:
            return None
        except UNDECODABLE as exc:
            raise StorageError(f"the record s3://{self._storage.name}/{_key(number)} is damaged: {exc}") from exc


def _key(number: int) -> str:
    return f"{FOLDER}/{number:06d}.json"
