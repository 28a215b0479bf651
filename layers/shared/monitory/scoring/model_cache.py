"""The served model, in memory while its ETag stays the same."""

import threading
import time
from dataclasses import dataclass
from typing import NamedTuple

from monitory.errors import BrokenModel, ModelError, MonitoryError, StorageError, StorageUnavailable
from monitory.model.loader import ModelLoader
from monitory.model.model import Model
from monitory.registry.registry import Promotion, Registry, ServedObject
from monitory.sensors import SensorSet

REFUSED_SECONDS = 60.0
"""How long a refused object is not read again; it may have been damaged in transit."""

REREAD_SECONDS = 600.0
"""How long a 304 is trusted: it hides that the same bytes were promoted as another version."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A usable model and its origin.

    Attributes:
        model: the model.
        etag: of the object it was loaded from.
        version: its version; None for a model that was not promoted by this service.
        trained_at: ISO 8601 in UTC; the object's date where there's no card.
        promotion: the promotion that put it there; None without a version.
    """

    model: Model
    etag: str
    version: str | None
    trained_at: str
    promotion: Promotion | None


@dataclass(frozen=True, slots=True)
class CurrentModel:
    """The model that predicts, and why a newer one cannot be used; None where there is no newer one."""

    served: ServedModel
    problem: MonitoryError | None


class _RefusedObject(NamedTuple):
    """An object that is no usable model, the reason, and until when (`time.monotonic`) it is not read again."""

    etag: str
    reason: str
    until: float


class ModelCache:
    """Returns the newest model that works.

    A conditional GET detects a new served object; every `REREAD_SECONDS` an unconditional one detects the same bytes
    under another version. A new model replaces the old one after its self-test; while the store fails or the new object
    is broken, the last good model stays in use.
    """

    def __init__(self, registry: Registry, sensors: SensorSet, cap_days: float) -> None:
        """An empty cache for models of a sensor set; `cap_days` is the cap of models without a card."""
        self._registry = registry
        self._loader = ModelLoader(registry, sensors, cap_days)
        self._lock = threading.Lock()
        self._last_good: ServedModel | None = None
        self._refused: _RefusedObject | None = None
        self._reread_at = 0.0

    def current(self) -> CurrentModel:
        """The model that predicts.

        Raises:
            NoModel: no model has been promoted.
            BrokenModel: the served object is no usable model, and there is no last good one.
            StorageUnavailable: the store failed, and there is no last good model.
        """
        good, refused = self._last_good, self._refused
        now = time.monotonic()
        if refused and now > refused.until:
            refused = None
        etag = refused.etag if refused else good.etag if good and now <= self._reread_at else None
        try:
            changed = self._registry.served_if_changed(etag)
            if changed:
                good = self._replace(changed)
            elif refused:
                raise BrokenModel(refused.reason)
        except (ModelError, StorageError) as exc:
            if good is None:
                raise
            return CurrentModel(good, exc)
        if good is None:
            raise StorageUnavailable("the store answered 304 to an unconditional request")
        return CurrentModel(good, None)

    def last_good(self, problem: StorageUnavailable) -> CurrentModel:
        """The last good model, without a request, because of a problem.

        Raises:
            StorageUnavailable: the problem itself, where there is none.
        """
        if self._last_good is None:
            raise problem
        return CurrentModel(self._last_good, problem)

    def _replace(self, changed: ServedObject) -> ServedModel:
        with self._lock:
            self._reread_at = time.monotonic() + REREAD_SECONDS
            if self._last_good and (self._last_good.etag, self._last_good.promotion) == (
                changed.blob.etag,
                changed.promotion,
            ):
                self._refused = None  # another thread was first, or the good one is back
                return self._last_good
            try:
                self._last_good = self._load(changed)
            except BrokenModel as exc:
                self._refused = _RefusedObject(changed.blob.etag, str(exc), time.monotonic() + REFUSED_SECONDS)
                raise
            self._refused = None
            return self._last_good

    def _load(self, changed: ServedObject) -> ServedModel:
        model = self._loader.served(changed)
        trained_at = model.card.trained_at if model.card else changed.blob.modified.isoformat()
        return ServedModel(model, changed.blob.etag, changed.version, trained_at, changed.promotion)
