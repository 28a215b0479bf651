"""The served object as it was read: which promotion put it there, and whether it is what was promoted."""

import hashlib
from typing import NamedTuple

import msgspec

from monitory.errors import UNDECODABLE
from monitory.registry.promotions import Promotion
from monitory.storage.port import Blob

_CARD_SHA256 = "card-sha256"
"""In the served object's metadata: of its version's card; missing where there is none."""


class ServedObject(NamedTuple):
    """The served object: its bytes and ETag, and the promotion that put it there, None for a foreign model."""

    blob: Blob
    promotion: Promotion | None

    @property
    def version(self) -> str | None:
        """The version that is served, None for a model that no registry wrote."""
        return self.promotion.version if self.promotion else None

    @property
    def verified(self) -> bool:
        """Whether the bytes are those that were promoted."""
        return self.blob.metadata.get("sha256") == hashlib.sha256(self.blob.body).hexdigest()

    def belongs(self, card: bytes | None) -> bool:
        """Whether a model card, None for none, is the one that the model was promoted with."""
        known = self.blob.metadata.get(_CARD_SHA256)
        return known is None or (card is not None and hashlib.sha256(card).hexdigest() == known)


def card_metadata(card: bytes | None) -> dict[str, str]:
    """What the served object says of its version's model card."""
    return {} if card is None else {_CARD_SHA256: hashlib.sha256(card).hexdigest()}


def sha256_in(card: bytes | None) -> str | None:
    """The hash of a model text that its card tells, None where it tells none."""
    try:
        return msgspec.json.decode(card, type=_Card).sha256 if card is not None else None
    except UNDECODABLE:
        return None


class _Card(msgspec.Struct):
    sha256: str | None = None
