"""How a model is loaded, alike where it serves and where it is judged or about to be promoted."""

from monitory import features, probe
from monitory.errors import BrokenModel
from monitory.model import Card, Model
from monitory.sensors import SensorSet


def load(text: bytes, card: Card | None, *, version: str | None, sensors: SensorSet, cap_days: float) -> Model:
    """A model that answered its self-test.

    Args:
        text: LightGBM's model text.
        card: its version's model card. A model without one is foreign, even if it was adopted as a version, and is
            probed before anything here parses it.
        version: whose the card must be.
        sensors: of what features can be given.
        cap_days: the cap for a model without a card.

    Raises:
        BrokenModel: it can't be used.
    """
    if card is None:
        probe.check(text)
    elif card.version != version:
        raise BrokenModel(f"the model card of {version} is that of {card.version}")
    elif card.feature_schema != features.SCHEMA:
        raise BrokenModel(
            f"{card.version} was trained on features of schema {card.feature_schema}, here they are those of schema "
            f"{features.SCHEMA}: retrain"
        )
    elif card.regimes and not {*card.regimes.operating, *card.regimes.sensors} <= {*sensors.names}:
        raise BrokenModel(f"{card.version} knows operating regimes of sensors that are not in the sensor set: retrain")
    return Model(text, card, known=features.names(sensors), cap_days=cap_days)
