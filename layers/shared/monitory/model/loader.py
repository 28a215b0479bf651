"""Loading and verifying models, whether to serve, to evaluate or to promote them."""

from dataclasses import dataclass

from monitory.errors import BrokenModel
from monitory.features import vector
from monitory.model import header, untrusted
from monitory.model.card import decode_card
from monitory.model.model import Model
from monitory.registry.registry import Registry, ServedObject
from monitory.sensors import SensorSet


@dataclass(frozen=True, slots=True)
class ModelLoader:
    """Loads the registry's models; each has passed its self-test.

    A model with a card is one of ours. One without is of unknown origin, even as a stored version: from an older
    trainer, or adopted. A child process checks it before this one loads it.

    Attributes:
        registry: the registry.
        sensors: the sensor set, which determines the features.
        cap_days: the cap, in days, of models without a card.
    """

    registry: Registry
    sensors: SensorSet
    cap_days: float

    def served(self, served: ServedObject) -> Model:
        """The served model.

        Raises:
            BrokenModel: it cannot be used, or differs from its promotion.
            StorageUnavailable: the store failed.
        """
        if not served.version:
            return self._load(served.blob.body, None, None)
        if not served.verified:
            raise BrokenModel(f"the served object is not what was promoted as {served.version}")
        card = self.registry.card(served.version)
        if not served.belongs(card):
            raise BrokenModel(f"the model card of {served.version} is not the one that it was promoted with")
        return self._load(served.blob.body, card, served.version)

    def stored(self, version: str) -> Model:
        """The model of a stored version.

        Raises:
            UnknownVersion: it is not stored.
            BrokenModel: it cannot be used.
            StorageUnavailable: the store failed.
        """
        return self._load(self.registry.model(version), self.registry.card(version), version)

    def trained(self, text: bytes) -> Model:
        """A newly trained model, which has no card yet.

        Raises:
            BrokenModel: it cannot be used.
        """
        return Model(text, None, feature_names=vector.names(self.sensors), cap_days=self.cap_days)

    def _load(self, text: bytes, encoded: bytes | None, version: str | None) -> Model:
        card = None if encoded is None else decode_card(encoded)
        if card is None:
            header.read(text)  # other formats are named
            untrusted.check(text)
        elif card.version != version:
            raise BrokenModel(f"the model card of {version} is that of {card.version}")
        elif card.feature_schema != vector.SCHEMA:
            raise BrokenModel(
                f"{card.version} was trained on features of schema {card.feature_schema}, here they are those of "
                f"schema {vector.SCHEMA}: retrain"
            )
        elif card.regimes and not {*card.regimes.operating, *card.regimes.sensors} <= {*self.sensors.names}:
            raise BrokenModel(
                f"{card.version} knows operating regimes of sensors that are not in the sensor set: retrain"
            )
        return Model(text, card, feature_names=vector.names(self.sensors), cap_days=self.cap_days)
