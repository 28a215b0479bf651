"""Histories of a machine, asked of a lake and a cache in memory."""

from datetime import datetime

from monitory.history.machine_history import History
from monitory.machine import Machine
from tests.support.predicting import NOW, World
from tests.support.samples import MACHINE

CACHE_KEY_START = "cache/recent/"


def ask(world: World, now: datetime = NOW, machine: Machine = MACHINE) -> History:
    """A machine's history, by the rows of this container."""
    return world.rows.history_at(machine, now)


def cache_key(world: World) -> str:
    """Where the history is cached."""
    (key,) = [key for key in world.model_storage.objects if key.startswith(CACHE_KEY_START)]
    return key


def same(one: History, other: History) -> bool:
    """Whether they have the same rows, NaN included."""
    return repr((one.rows, one.newest)) == repr((other.rows, other.newest))


def rebuilt(world: World) -> History:
    """What a container says that knows nothing and finds no cache."""
    fresh = World()
    fresh.lake_storage.objects = world.lake_storage.objects
    return fresh.rows.history_at(MACHINE, NOW)
