"""How a model is loaded, alike where it serves and where it is judged or about to be promoted."""

from monitory.errors import BrokenModel
from monitory.features import vector
from monitory.model import untrusted
from monitory.model.model import Card, Model
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
        untrusted.check(text)
    elif card.version != version:
        raise BrokenModel(f"the model card of {version} is that of {card.version}")
    elif card.feature_schema != vector.SCHEMA:
        raise BrokenModel(
            f"{card.version} was trained on features of schema {card.feature_schema}, here they are those of schema "
            f"{vector.SCHEMA}: retrain"
        )
    elif card.regimes and not {*card.regimes.operating, *card.regimes.sensors} <= {*sensors.names}:
        raise BrokenModel(f"{card.version} knows operating regimes of sensors that are not in the sensor set: retrain")
    return Model(text, card, known=vector.names(sensors), cap_days=cap_days)
