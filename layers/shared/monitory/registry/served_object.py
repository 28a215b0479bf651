"""The served object: its bytes, its promotion, and whether the two agree."""

import hashlib
from typing import NamedTuple

import msgspec

from monitory.errors import UNDECODABLE
from monitory.registry.promotions import Promotion
from monitory.storage.port import Blob

_CARD_SHA256 = "card-sha256"
"""The metadata key of the card's hash; missing where the version has no card."""


class ServedObject(NamedTuple):
    """The served object as it was read, and its promotion; None for a foreign model."""

    blob: Blob
    promotion: Promotion | None

    @property
    def version(self) -> str | None:
        """The served version; None for a foreign model."""
        return self.promotion.version if self.promotion else None

    @property
    def verified(self) -> bool:
        """Whether the bytes have the SHA-256 of the promotion."""
        return self.blob.metadata.get("sha256") == hashlib.sha256(self.blob.body).hexdigest()

    def belongs(self, card: bytes | None) -> bool:
        """Whether a model card (None for none) is the one at the promotion."""
        promoted = self.blob.metadata.get(_CARD_SHA256)
        return promoted is None or (card is not None and hashlib.sha256(card).hexdigest() == promoted)


def card_metadata(card: bytes | None) -> dict[str, str]:
    """The object metadata of a version's model card."""
    return {} if card is None else {_CARD_SHA256: hashlib.sha256(card).hexdigest()}


def sha256_in(card: bytes | None) -> str | None:
    """The SHA-256 of the model text in its card; None where the card has none."""
    try:
        return msgspec.json.decode(card, type=_Card).sha256 if card is not None else None
    except UNDECODABLE:
        return None


class _Card(msgspec.Struct):
    sha256: str | None = None
