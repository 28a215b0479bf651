"""A bucket's model versions: stored once, never changed.

models/YYYY/MM/DD/HHMMSS/<file>         a version: model.txt, card.json, metrics.json, ...

Older trainers' versions are there, too: their model is `lgbm_regressor.json`, they have no card and possibly no
metrics. They count as models of unknown origin.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from monitory.errors import Conflict, ObjectNotFound, PreconditionFailed, UnknownVersion
from monitory.registry.version import Version
from monitory.storage.port import Storage

MODEL_FILE = "model.txt"
OLDER_MODEL_FILE = "lgbm_regressor.json"
"""The model file of older trainers: the same text under another name."""

CARD_FILE = "card.json"
METRICS_FILE = "metrics.json"


class StoredVersions:
    """The versions of a bucket."""

    def __init__(self, storage: Storage) -> None:
        """Nothing is read yet."""
        self.storage = storage

    def read(self, version: str, file: str) -> bytes:
        """A file of a version.

        Raises:
            UnknownVersion: there is no such version, or it has no such file.
        """
        try:
            return self.storage.get(f"{Version.parse(version).folder}/{file}").body
        except ObjectNotFound as exc:
            raise UnknownVersion(f"version {version} has no {file}") from exc

    def model(self, version: str) -> bytes:
        """A version's model text, under either file name.

        Raises:
            UnknownVersion: there's no such version.
        """
        try:
            return self.read(version, MODEL_FILE)
        except UnknownVersion as exc:
            try:
                return self.read(version, OLDER_MODEL_FILE)
            except UnknownVersion:
                raise exc from None

    def card(self, version: str) -> bytes | None:
        """A version's model card; None where it has none: its model is an older trainer's, or was adopted."""
        try:
            return self.read(version, CARD_FILE)
        except UnknownVersion:
            return None

    def versions(self) -> Iterator[str]:
        """All stored versions, oldest first; those without a model file are not listed."""
        yield from self._sizes()

    def versions_of(self, text: bytes) -> Iterator[str]:
        """The stored versions with exactly this model text, newest first.

        Raises:
            StorageUnavailable: the store failed.
        """
        for version in [version for version, size in self._sizes().items() if size == len(text)][::-1]:
            with suppress(UnknownVersion):
                if self.model(version) == text:
                    yield version

    def _sizes(self) -> dict[str, int]:
        """The bytes of all stored versions' models, oldest version first."""
        sizes = {}
        for entry in self.storage.list("models"):
            folder, _, file = entry.key.rpartition("/")
            if file in (OLDER_MODEL_FILE, MODEL_FILE) and (version := Version.of_folder(folder)):
                sizes[str(version)] = entry.size  # model.txt comes last, and is what `model` reads
        return sizes

    def store(self, version: str, files: Mapping[str, tuple[bytes, str]]) -> None:
        """Store an immutable version: its files by name, each with its media type.

        The model is written last: without it a version is neither listed nor promoted, so a run that dies midway
        leaves nothing that passes for a version.

        Raises:
            Conflict: the version exists.
        """
        folder = Version.parse(version).folder
        for name in sorted(files, key=lambda file: file == MODEL_FILE):
            body, content_type = files[name]
            try:
                self.storage.put(f"{folder}/{name}", body, content_type=content_type, create=True)
            except PreconditionFailed as exc:
                if self.storage.get(f"{folder}/{name}").body != body:
                    raise Conflict(f"version {version} exists already") from exc
