"""The registry's models as retraining uses them: read, and checked before anything is done with them."""

from dataclasses import dataclass

from monitory import features, probe
from monitory.errors import BrokenModel, NoModel, UnknownVersion
from monitory.log import Logger
from monitory.model import Card, Model, decode_card
from monitory.registry import CARD_FILE, MODEL_FILE, Promotion, Registry, Served
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
        if served.promotion and not served.verified:
            raise BrokenModel("its bytes are not those that were promoted")
        if not served.promotion:
            probe.check(served.blob.body)
        return self.model(served.blob.body, self._card(served.version) if served.version else None)

    def check(self, version: str) -> str:
        """Check that a stored version can be served, by its hash, its parser's opinion and its self-test.

        Returns:
            The SHA-256 of what was checked.

        Raises:
            UnknownVersion: it isn't stored. BrokenModel: it can't be used.
        """
        text = self.registry.read(version, MODEL_FILE)
        found = self._card(version)
        if found is None:
            probe.check(text)
        return self.model(text, found).fingerprint

    def model(self, text: bytes, found: Card | None) -> Model:
        """A model from its text and its card, if it has one.

        Raises:
            BrokenModel: it can't be used.
        """
        sensors = found.sensors if found else self.sensors
        return Model(text, found, known=features.names(sensors), cap_days=self.cap_days)

    def _card(self, version: str) -> Card | None:
        """A version's card; None for a foreign model that was adopted."""
        try:
            return decode_card(self.registry.read(version, CARD_FILE))
        except UnknownVersion:
            return None
