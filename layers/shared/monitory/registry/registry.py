"""Model versions in the model bucket: stored once, promoted by one conditional write, never lost.

    models/YYYY/MM/DD/HHMMSS/<file>         a version, immutable: model.txt, card.json, metrics.json, ...
    models/latest/lgbm_regressor.json       what is served (S3_MODEL_KEY): a copy of a version's model.txt
    models/latest/metrics.json              its metrics, for people
    promotions/000001.json                  one immutable record per promotion or rollback

A promotion is *one* write: the served object is replaced on condition that it is still the one that was read,
and its own metadata says which version it is, the SHA-256 of its bytes and everything its record needs. The
metrics and then the record are written after it; where a run died in between, the next one writes them from the
metadata. So the history has no gap, and model and version cannot disagree.
"""

import hashlib
from concurrent.futures import Executor
from datetime import UTC, datetime

import msgspec

from monitory.errors import (
    BrokenModel,
    Conflict,
    ModelError,
    NoModel,
    ObjectNotFound,
    PreconditionFailed,
    StorageUnavailable,
    UnknownVersion,
)
from monitory.registry.promotions import (
    MAX_BY_BYTES,
    MAX_REASON_BYTES,
    MAX_REQUEST_BYTES,
    PROMOTE,
    ROLLBACK,
    History,
    Promotion,
    finite,
    from_metadata,
    metadata,
    previous_version,
    words,
)
from monitory.registry.served_object import ServedObject, card_metadata, sha256_in
from monitory.registry.version import Version
from monitory.registry.versions import CARD_FILE, METRICS_FILE, MODEL_FILE, StoredVersions
from monitory.storage.port import Blob, Storage

__all__ = ["CARD_FILE", "METRICS_FILE", "MODEL_FILE", "PROMOTE", "ROLLBACK", "Promotion", "Registry", "ServedObject"]

_REQUESTS_KNOWN = 50
"""Newest promotions among which a retry looks for its own; Lambda gives up an event after some hours."""


class Registry(StoredVersions):
    """The model bucket's versions, and which of them is served."""

    def __init__(self, storage: Storage, model_key: str) -> None:
        """The versions beside the served key, `models/latest/lgbm_regressor.json` by default."""
        super().__init__(storage)
        self.model_key = model_key
        self._history = History(storage)
        self.metrics_key = f"{model_key.rpartition('/')[0]}/metrics.json".lstrip("/")

    # -- reading ---------------------------------------------------------------------------------------------

    def served(self) -> ServedObject:
        """What is served now.

        Raises:
            NoModel: nothing is.
            StorageUnavailable: the store failed.
        """
        found = self.served_if_changed(None)
        if found is None:
            raise NoModel("the store answered 304 to an unconditional request")
        return found

    def served_or_none(self) -> ServedObject | None:
        """What is served now, None where nothing is.

        Raises:
            StorageUnavailable: the store failed.
        """
        try:
            return self.served()
        except NoModel:
            return None

    def served_if_changed(self, etag: str | None) -> ServedObject | None:
        """What is served now, None when that is still the object of this ETag.

        Raises:
            NoModel: nothing is.
            StorageUnavailable: the store failed.
        """
        try:
            blob = self.storage.get_if_changed(self.model_key, etag)
        except ObjectNotFound as exc:
            raise NoModel(f"no model has been promoted to s3://{self.storage.name}/{self.model_key} yet") from exc
        return ServedObject(blob, from_metadata(blob.metadata)) if blob else None

    def history(self, newest: int | None = None, executor: Executor | None = None) -> list[Promotion]:
        """Promotions and rollbacks, oldest first: all of them, or the newest so many.

        Args:
            newest: how many.
            executor: reads the records side by side; none reads them one after the other.

        Raises:
            StorageUnavailable: the store failed.
        """
        return self._history.read(newest, executor)

    def promotion_of(self, request: str | None) -> Promotion | None:
        """The promotion that an invocation has made already; None where it made none, or isn't known.

        Raises:
            StorageUnavailable: the store failed.
        """
        if not request:
            return None
        recent = self.history(_REQUESTS_KNOWN)
        return next((made for made in recent if made.request == words(request, MAX_REQUEST_BYTES)), None)

    # -- writing ---------------------------------------------------------------------------------------------

    def promote(
        self,
        version: str,
        *,
        by: str,
        reason: str,
        expected: ServedObject | None,
        action: str = PROMOTE,
        score: float | None = None,
        replaced_score: float | None = None,
        sha256: str | None = None,
        request: str | None = None,
    ) -> Promotion:
        """Serve a stored version from now on.

        Args:
            version: which.
            by: who asks for it.
            reason: why.
            expected: what is served at the moment as the caller read it; None if nothing is.
            action: `promote` or `rollback`.
            score: the version's hold-out MAE, days.
            replaced_score: that of what it replaces.
            sha256: of the model text that the caller checked, in hex; None where it checked none.
            request: names the invocation, so that its retry can find what was done, see `promotion_of`.

        Raises:
            UnknownVersion: it isn't stored.
            BrokenModel: what is stored isn't what the caller checked, or not what the version's card is of.
            Conflict: something else was promoted since `expected` was read. Nothing was changed.
        """
        version = str(Version.parse(version))
        text = self.model(version)
        card = self.card(version)
        for known in (sha256, sha256_in(card)):
            if known not in (None, hashlib.sha256(text).hexdigest()):
                folder = f"s3://{self.storage.name}/{Version.parse(version).folder}"
                raise BrokenModel(f"the model in {folder} is not what was stored: its SHA-256 differs")
        self.repair()
        replaced = expected and (expected.version or self._adopt(expected.blob))
        promotion = Promotion(
            number=max(self._history.numbers(), default=0) + 1,
            action=action,
            version=version,
            replaced=replaced,
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            by=words(by, MAX_BY_BYTES),
            reason=words(reason, MAX_REASON_BYTES),
            score=finite(score),
            replaced_score=finite(replaced_score),
            request=words(request, MAX_REQUEST_BYTES) if request else None,
        )
        try:
            self.storage.put(
                self.model_key,
                text,
                content_type="text/plain; charset=utf-8",
                metadata={**metadata(promotion, text), **card_metadata(card)},
                replaces=expected.blob.etag if expected else None,
                create=expected is None,
            )
        except PreconditionFailed as exc:
            # A write whose answer was lost is tried again by the client and then meets itself.
            if self._promotion() != promotion:
                raise Conflict(
                    f"another model was promoted while {version} was about to be; nothing was changed"
                ) from exc
        return self._finish(promotion)

    def rollback_target(self) -> str:
        """The version that a rollback returns to: what was served before what is served now.

        Rolling back twice goes back two promotions, not to and fro. Of a foreign model, which nobody promoted, a
        rollback returns to what was promoted last.

        Raises:
            NoModel: nothing was served before.
        """
        self.repair()
        target = previous_version(self.history(), self._promotion())
        if target is None:
            raise NoModel("there is no earlier model to roll back to")
        return target

    def repair(self) -> Promotion | None:
        """Write the metrics and the record of the newest promotion where the run that made it died before it could.

        Returns:
            The promotion whose record was missing, None where nothing was.
        """
        promotion = self._promotion()
        if not promotion:
            return None
        if self._history.holds(promotion):
            self._show_metrics()  # a slow run may have shown those of the version before, and died
            return None
        return self._finish(promotion)

    def _promotion(self) -> Promotion | None:
        """The promotion of what is served; None where that is nothing, or foreign."""
        served = self.served_or_none()
        return served.promotion if served else None

    def _finish(self, made: Promotion) -> Promotion:
        """What follows a promotion. The record comes last: once it is there, nothing is left to repair."""
        self._show_metrics()
        return self._history.add(made)

    def _show_metrics(self) -> None:
        """Copy the served version's metrics to where people look; serving doesn't read them.

        Whoever wrote last looks whether that version is still served, so the last word is right.
        """
        promotion = self._promotion()
        while promotion:
            try:
                metrics = self.read(promotion.version, METRICS_FILE)
            except UnknownVersion:  # a foreign model that was adopted has none
                metrics = msgspec.json.encode({"version": promotion.version})
            if self._shown_metrics() != metrics:
                self.storage.put(self.metrics_key, metrics, content_type="application/json")
            shown, promotion = promotion, self._promotion()
            if promotion == shown:
                return

    def _shown_metrics(self) -> bytes | None:
        try:
            return self.storage.get(self.metrics_key).body
        except ObjectNotFound:
            return None

    def _adopt(self, blob: Blob) -> str:
        """Keep a foreign model as a version before it's replaced, so that it can be rolled back to."""
        # No hash of it is known: two equal readings must do, for nothing else will be left of it.
        try:
            again = self.storage.get(self.model_key)
        except ObjectNotFound as exc:
            raise Conflict("the model that was to be replaced is gone; nothing was changed") from exc
        if again.etag == blob.etag and again.body != blob.body:
            raise StorageUnavailable(f"s3://{self.storage.name}/{self.model_key} was read twice, differently")
        if stored := next(self.versions_of(blob.body), None):
            return stored
        version = Version.at(blob.modified)
        for _ in range(60):
            try:
                self.store(str(version), {MODEL_FILE: (blob.body, "text/plain; charset=utf-8")})
            except Conflict:
                version = version.later()
            else:
                return str(version)
        raise ModelError("no free version name for the model that is to be replaced")
