"""Classes of machines: how long they live beside the plan's mean, and where their sensors stand when all is well."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class MachineClass:
    """A kind of machine.

    Attributes:
        name: for people.
        life_factor: its mean life, as a multiple of the plan's.
        shifts: of a sensor's mean from the usual one by feature name, in standard deviations.
    """

    name: str
    life_factor: float = 1.0
    shifts: dict[str, float] = field(default_factory=dict)


CLASSES = (
    MachineClass("press"),
    MachineClass("pump", 0.125, {"pressure": 0.4, "active_power": -0.4}),
    MachineClass("fan", 2.0, {"vibration": 0.3, "humidity": -0.4}),
)


def class_of(number: int, classes: int) -> MachineClass:
    """The class of the machine of a number, of the first `classes` ones in turns."""
    return CLASSES[number % classes]
