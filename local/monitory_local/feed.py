"""The simulated factory that feeds a local lake: remembered in a file, and brought up to the present when asked."""

import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from monitory.clock import HOURS_PER_DAY, hour_of, now
from monitory.errors import StorageError
from monitory.storage.port import Storage
from monitory_local.simulator.lake import Written, write_hours
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.wear import Plan

MAX_DAYS = 30
"""A lake that was left alone for longer gets its last days only."""

_LOOK_SECONDS = 20.0

Counted = Callable[[str, int], AbstractContextManager[Callable[[], None]]]


@dataclass
class Feed:
    """A factory and how far its lake is written.

    Attributes:
        file: where this is remembered.
        plan: the factory.
        until: the first hour that is not written yet.
    """

    file: Path
    plan: Plan
    until: int

    @classmethod
    def opened(cls, file: Path, plan: Plan) -> "Feed":
        """The feed that a file remembers, else a new one of the plan, with nothing written."""
        try:
            known = json.loads(file.read_text())
            return cls(file, Plan(**known["plan"]), known["until"])
        except FileNotFoundError:
            return cls(file, plan, plan.start_hour)

    def catch_up(self, storage: Storage, prefix: str, counted: Counted) -> Written:
        """Write the hours that have ended since the last time.

        Raises:
            StorageUnavailable: the store failed.
        """
        present = hour_of(now())
        hours = range(max(self.until, present - MAX_DAYS * HOURS_PER_DAY), present)
        if not hours:
            return Written(0, 0)
        with counted("writing the lake", len(hours) * self.plan.machines) as step:
            written = write_hours(storage, Producer(self.plan, prefix), hours, step)
        self.until = hours.stop
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps({"plan": asdict(self.plan), "until": self.until}))
        return written

    def follow(self, storage: Storage, prefix: str, counted: Counted, stop: threading.Event) -> None:
        """Write each hour as it ends, until `stop` is set."""
        while not stop.wait(_LOOK_SECONDS):
            try:
                self.catch_up(storage, prefix, counted)
            except StorageError as exc:
                print(f"the lake could not be written: {exc}", flush=True)
