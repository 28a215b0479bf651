"""The registry's models as retraining uses them: read, and checked before anything is done with them."""

from dataclasses import dataclass

from monitory.errors import BrokenModel, NoModel, UnknownVersion
from monitory.features import vector
from monitory.log import Logger
from monitory.model import loader
from monitory.model.model import Model, decode_card
from monitory.registry.registry import CARD_FILE, MODEL_FILE, Promotion, Registry, Served
from monitory.sensors import SensorSet


@dataclass(frozen=True, slots=True)
class CheckedModels:
    """What is served and what is stored.

    Attributes:
        registry: where they are.
        sensors: what features are made of.
        cap_days: the cap of models without a card.
        log: where repairs are told.
    """

    registry: Registry
    sensors: SensorSet
    cap_days: float
    log: Logger

    def repair(self) -> Promotion | None:
        """Finish what a run that died left unfinished; the promotion, where there was one."""
        repaired = self.registry.repair()
        if repaired:
            self.log.warning("wrote the missing record of promotion %d (%s)", repaired.number, repaired.version)
        return repaired

    def served(self) -> Served | None:
        """What is served now, None where nothing is."""
        try:
            return self.registry.served()
        except NoModel:
            return None

    def load(self, served: Served) -> Model:
        """The served model as serving would load it.

        Raises:
            ModelError: it cannot be used.
        """
        if not served.version:
            return self._loaded(served.blob.body, None, None)
        if not served.verified:
            raise BrokenModel("its bytes are not those that were promoted")
        card = self._card(served.version)
        if not served.belongs(card):
            raise BrokenModel(f"the model card of {served.version} is not the one that it was promoted with")
        return self._loaded(served.blob.body, card, served.version)

    def check(self, version: str) -> str:
        """Check that a stored version can be served, by loading it as serving would.

        Returns:
            The SHA-256 of what was checked.

        Raises:
            UnknownVersion: it isn't stored. BrokenModel: it can't be used.
        """
        return self._loaded(self.registry.read(version, MODEL_FILE), self._card(version), version).fingerprint

    def own(self, text: bytes) -> Model:
        """A model that was trained just now.

        Raises:
            BrokenModel: it can't be used.
        """
        return Model(text, None, known=vector.names(self.sensors), cap_days=self.cap_days)

    def _loaded(self, text: bytes, card: bytes | None, version: str | None) -> Model:
        found = decode_card(card) if card is not None else None
        return loader.load(text, found, version=version, sensors=self.sensors, cap_days=self.cap_days)

    def _card(self, version: str) -> bytes | None:
        """A version's card; None for a foreign model that was adopted."""
        try:
            return self.registry.read(version, CARD_FILE)
        except UnknownVersion:
            return None
