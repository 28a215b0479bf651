"""A day's hour rows with the objects that they come from, and how one is made of several. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitory.lake import ObjectSummary
from monitory.machine import Machine
from monitory_retrain.dataset import hour_table
from monitory_retrain.dataset.hour_table import HourTable


@dataclass(frozen=True, slots=True)
class CachedDay:
    """A day's hour rows, and the objects that they come from, by machine.

    Attributes:
        table: the rows.
        objects: of each machine.
        is_pieced: whether pieces have a part in it, so that it is not what is stored under its date.
    """

    table: HourTable
    objects: Mapping[Machine, tuple[ObjectSummary, ...]] = field(default_factory=dict)
    is_pieced: bool = False


def piece_together(states: Sequence[CachedDay], width: int) -> CachedDay:
    """One state of a day out of several, each with some of its machines; of a machine that is in several, the last.

    Args:
        states: the oldest first.
        width: the number of an hour row's values.
    """
    newest = {owner: at for at, state in enumerate(states) for owner in state.objects}
    tables: list[HourTable] = []
    objects: dict[Machine, tuple[ObjectSummary, ...]] = {}
    for at, state in enumerate(states):
        slices = dict(state.table.slices())
        for owner in (owner for owner in state.objects if newest[owner] == at):
            tables += [hour_table.part(state.table, of, slices[of]) for of in covered(owner, slices)]
            objects[owner] = state.objects[owner]
    return CachedDay(hour_table.join(tables, width), objects, is_pieced=True)


def covered(owner: Machine, machines: Mapping[Machine, slice]) -> Iterable[Machine]:
    """The machines that an owner of objects stands for; itself, but where its names have gaps."""
    if "" in owner:
        return [machine for machine in machines if owner.covers(machine)]
    return [owner] if owner in machines else []
