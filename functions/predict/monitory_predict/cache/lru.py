"""A bounded cache by machine."""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

from monitory.machine import Machine

MAX_MACHINES = 100

T = TypeVar("T")


class LruCache(Generic[T]):
    """Values of the most recently used machines, at most `MAX_MACHINES`; thread-safe."""

    def __init__(self) -> None:
        """An empty cache."""
        self._values: OrderedDict[Machine, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, machine: Machine) -> T | None:
        """A machine's value; None where there is none."""
        with self._lock:
            if machine in self._values:
                self._values.move_to_end(machine)
            return self._values.get(machine)

    def put(self, machine: Machine, value: T) -> None:
        """Set a machine's value, and drop those of the least recently used machines."""
        with self._lock:
            self._values[machine] = value
            self._values.move_to_end(machine)
            while len(self._values) > MAX_MACHINES:
                self._values.popitem(last=False)

    def machines(self) -> list[Machine]:
        """The machines in the cache, the last used at the end."""
        with self._lock:
            return list(self._values)
