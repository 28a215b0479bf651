"""The simulated factory that feeds a local lake: its progress is in a file, and it catches up with the present."""

import json
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from monitory.clock import HOURS_PER_DAY, hour_of, now
from monitory.errors import StorageError
from monitory.storage.port import Storage
from monitory_local.simulator.lake import Written, write_hours
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.records import failure_log
from monitory_local.simulator.wear import Plan

DAYS = 30
"""History of a new factory."""

MAX_DAYS = 60
"""A lake that is further behind gets its last days only."""

FEED_FILE = "factory.json"

LOG_KEY = "maintenance-log.ndjson"
"""Where the factory's people write their log, in the lake's bucket: a value for `FAILURE_LOG_KEY`."""

_LOOK_SECONDS = 20.0

ProgressBar = Callable[[str, int], AbstractContextManager[Callable[[], None]]]


@dataclass
class Feed:
    """A factory and how far its lake reaches.

    Attributes:
        file: holds the other two, as JSON.
        plan: the factory.
        until: the first hour that is not in the lake.
    """

    file: Path
    plan: Plan
    until: int

    @classmethod
    def open(cls, file: Path, plan: Plan) -> "Feed":
        """The feed of a file; a new one of the plan, with an empty lake, where there is no file."""
        try:
            state = json.loads(file.read_text())
            return cls(file, Plan(**state["plan"]), state["until"])
        except FileNotFoundError:
            return cls(file, plan, plan.start_hour)

    def catch_up(self, storage: Storage, prefix: str, progress_bar: ProgressBar, until: int | None = None) -> Written:
        """Write the hours that have ended since the last time, and the log as it stands after each day.

        With `until` the hours from that one on are left for later.

        It may be interrupted at any moment: hours that are written again have the same objects.

        Raises:
            StorageUnavailable: the store failed.
        """
        present = hour_of(now()) if until is None else until
        hours = range(max(self.until, present - MAX_DAYS * HOURS_PER_DAY), present)
        if not hours:
            return Written(0, 0)
        self.until = hours.start
        self._remember()  # before the first object, so that the lake is known to be this factory's
        producer = Producer(self.plan, prefix)
        objects = size = 0
        with progress_bar("writing the lake", len(hours) * self.plan.machines) as step:
            for start in range(hours.start, hours.stop, HOURS_PER_DAY):
                day = range(start, min(start + HOURS_PER_DAY, hours.stop))
                written = write_hours(storage, producer, day, step)
                objects, size = objects + written.objects, size + written.size
                log = failure_log(producer, range(self.plan.start_hour, day.stop))
                storage.put(LOG_KEY, log, content_type="application/x-ndjson")
                self.until = day.stop
                self._remember()
        return Written(objects, size)

    def _remember(self) -> None:
        """Replace the file in one step."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps({"plan": asdict(self.plan), "until": self.until, "log": LOG_KEY}))
        new.replace(self.file)

    def follow(self, storage: Storage, prefix: str, progress_bar: ProgressBar, stop: threading.Event) -> None:
        """Write each hour as it ends, until `stop` is set."""
        while not stop.wait(_LOOK_SECONDS):
            try:
                self.catch_up(storage, prefix, progress_bar)
            except StorageError as exc:
                print(f"the lake could not be written: {exc}", flush=True)


def use_log(folder: Path) -> None:
    """Let this process's functions read the log of a folder's factory, unless the environment names one.

    Factories of older versions have no log.
    """
    with suppress(FileNotFoundError):
        if key := json.loads((folder / FEED_FILE).read_text()).get("log"):
            os.environ.setdefault("FAILURE_LOG_KEY", key)
