"""Model versions in the model bucket: stored once, promoted by one conditional write, never lost.

    models/YYYY/MM/DD/HHMMSS/<file>         a version, immutable: model.txt, card.json, metrics.json, ...
    models/latest/lgbm_regressor.json       the served object (S3_MODEL_KEY): a copy of a version's model.txt
    models/latest/metrics.json              its metrics, for people
    promotions/000001.json                  one immutable record per promotion or rollback

A promotion is *one* conditional write: it replaces the served object if that is still the one that was read. The new
object's metadata holds its version, the SHA-256 of its bytes and everything its record needs. The metrics and then the
record are written afterwards; if a run dies in between, the next one writes them from the metadata. So the history has
no gap, and model and version cannot disagree.
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
    shortened,
)
from monitory.registry.served_object import ServedObject, card_metadata, sha256_in
from monitory.registry.version import Version
from monitory.registry.versions import CARD_FILE, METRICS_FILE, MODEL_FILE, StoredVersions
from monitory.storage.port import Blob, Storage

__all__ = ["CARD_FILE", "METRICS_FILE", "MODEL_FILE", "PROMOTE", "ROLLBACK", "Promotion", "Registry", "ServedObject"]

_RECENT_PROMOTIONS = 50
"""Newest promotions among which a retry looks for its own; Lambda drops an event after some hours."""


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
        """The served object.

        Raises:
            NoModel: there is none.
            StorageUnavailable: the store failed.
        """
        served = self.served_if_changed(None)
        if served is None:
            raise NoModel("the store answered 304 to an unconditional request")
        return served

    def served_or_none(self) -> ServedObject | None:
        """The served object; None where there is none.

        Raises:
            StorageUnavailable: the store failed.
        """
        try:
            return self.served()
        except NoModel:
            return None

    def served_if_changed(self, etag: str | None) -> ServedObject | None:
        """The served object; None if it still has this ETag.

        Raises:
            NoModel: there is none.
            StorageUnavailable: the store failed.
        """
        try:
            blob = self.storage.get_if_changed(self.model_key, etag)
        except ObjectNotFound as exc:
            raise NoModel(f"no model has been promoted to s3://{self.storage.name}/{self.model_key} yet") from exc
        return ServedObject(blob, from_metadata(blob.metadata)) if blob else None

    def history(self, newest: int | None = None, executor: Executor | None = None) -> list[Promotion]:
        """Promotions and rollbacks, oldest first.

        Args:
            newest: how many of the newest; None for all.
            executor: reads the records in parallel; None reads them one after the other.

        Raises:
            StorageUnavailable: the store failed.
        """
        return self._history.read(newest, executor)

    def promotion_of(self, request: str | None) -> Promotion | None:
        """The promotion by an invocation; None where there is none among the newest, or `request` is None.

        Raises:
            StorageUnavailable: the store failed.
        """
        if not request:
            return None
        recent = self.history(_RECENT_PROMOTIONS)
        return next(
            (promotion for promotion in recent if promotion.request == shortened(request, MAX_REQUEST_BYTES)), None
        )

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
        """Serve a stored version.

        Args:
            version: which.
            by: who asks for it.
            reason: why.
            expected: the served object as the caller read it; None if there was none.
            action: `promote` or `rollback`.
            score: the version's hold-out MAE, days.
            replaced_score: that of the version it replaces.
            sha256: of the model text that the caller verified, in hex; None where it verified none.
            request: the invocation's id, by which its retry finds the promotion, see `promotion_of`.

        Raises:
            UnknownVersion: it is not stored.
            BrokenModel: the stored text is not the one the caller verified, or not the one of the version's card.
            Conflict: the served object is no longer `expected`; nothing was changed.
        """
        version = str(Version.parse(version))
        text = self.model(version)
        card = self.card(version)
        for expected_sha256 in (sha256, sha256_in(card)):
            if expected_sha256 not in (None, hashlib.sha256(text).hexdigest()):
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
            by=shortened(by, MAX_BY_BYTES),
            reason=shortened(reason, MAX_REASON_BYTES),
            score=finite(score),
            replaced_score=finite(replaced_score),
            request=shortened(request, MAX_REQUEST_BYTES) if request else None,
        )
        conflict = f"another model was promoted while {version} was about to be; nothing was changed"
        # an ETag that is a hash of the bytes does not tell two promotions of one version apart: a later one, which is
        # not what the caller read, would be replaced, perhaps before its run has recorded it
        if self._promotion() != (expected.promotion if expected else None):
            raise Conflict(conflict)
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
            # the client repeats a write whose response was lost, and then meets its own object
            if self._promotion() != promotion:
                raise Conflict(conflict) from exc
        return self._finish(promotion)

    def rollback_target(self) -> str:
        """The version that a rollback returns to: the one served before the present one.

        Rolling back twice goes back two promotions, not to and fro. From a foreign model, which nobody promoted, a
        rollback returns to the last promoted version.

        Raises:
            NoModel: there is no earlier version.
        """
        self.repair()
        target = previous_version(self.history(), self._promotion())
        if target is None:
            raise NoModel("there is no earlier model to roll back to")
        return target

    def repair(self) -> Promotion | None:
        """Write the metrics and the record of the newest promotion if its run died before it could.

        Returns:
            The promotion whose record was missing; None where none was.
        """
        return self._repair(self._promotion())

    def _repair(self, promotion: Promotion | None) -> Promotion | None:
        if not promotion:
            return None
        if self._history.holds(promotion):
            self._publish_metrics()  # a slow run may have written those of the version before, and died
            return None
        return self._finish(promotion)

    def _promotion(self) -> Promotion | None:
        """The promotion of the served object; None where there is no object, or a foreign one."""
        served = self.served_or_none()
        return served.promotion if served else None

    def _finish(self, promotion: Promotion) -> Promotion:
        """Write the metrics, then the record: once that exists, nothing is left to repair."""
        self._publish_metrics()
        return self._history.add(promotion)

    def _publish_metrics(self) -> None:
        """Copy the served version's metrics beside the served object, for people; serving doesn't read them.

        After each write the served version is read again, so the last writer leaves the right ones.
        """
        promotion = self._promotion()
        while promotion:
            try:
                metrics = self.read(promotion.version, METRICS_FILE)
            except UnknownVersion:  # a foreign model that was adopted has none
                metrics = msgspec.json.encode({"version": promotion.version})
            if self._published_metrics() != metrics:
                self.storage.put(self.metrics_key, metrics, content_type="application/json")
            published, promotion = promotion, self._promotion()
            if promotion == published:
                return

    def _published_metrics(self) -> bytes | None:
        try:
            return self.storage.get(self.metrics_key).body
        except ObjectNotFound:
            return None

    def _adopt(self, blob: Blob) -> str:
        """Store a foreign model as a version before it is replaced, so that a rollback can return to it."""
        # no hash of it exists, and this copy will be the only one: it is read twice and compared
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
