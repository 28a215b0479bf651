"""The fleet state that the score function keeps, in memory while its ETag stays the same."""

import threading

from monitory.errors import UNDECODABLE, ObjectNotFound, StorageError
from monitory.log import Logger
from monitory.machine import Machine
from monitory.scoring import fleet
from monitory.scoring.fleet import FleetState, MachineState, StoredFleet
from monitory.storage.port import Storage


class FleetCache:
    """The newest fleet state; empty while there is none that can be read, for all of it can be computed."""

    def __init__(self, storage: Storage, lake: str, log: Logger) -> None:
        """Nothing is read yet; `lake` is the lake's fingerprint."""
        self._storage = storage
        self._lake = lake
        self._log = log
        self._lock = threading.Lock()
        self._stored = StoredFleet()

    def current(self) -> FleetState:
        """The state, by one conditional read."""
        with self._lock:
            try:
                blob = self._storage.get_if_changed(fleet.key(self._lake), self._stored.etag)
                if blob:
                    self._stored = StoredFleet(fleet.decode(blob, self._lake), blob.etag)
            except ObjectNotFound:
                self._stored = StoredFleet()
            except StorageError as exc:
                self._log.warning("the fleet state cannot be read: %s", exc)
                return FleetState()
            return self._stored.state

    def machine(self, machine: Machine) -> MachineState | None:
        """The state of a machine, by one conditional read; None without a usable one."""
        try:
            return self.current().machine(machine)
        except UNDECODABLE as exc:
            self._log.warning("the fleet state of %s is damaged: %s", machine, exc)
            return None
