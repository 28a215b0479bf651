"""Objects that hold several machines' readings -> readings by machine and hour."""

from collections.abc import Iterable

from monitory.decoding.form import RecordForm
from monitory.decoding.reading import Reading
from monitory.decoding.rejects import UNUSABLE_ID, Rejects
from monitory.errors import InvalidIdentifier, UnreadableObject
from monitory.layout.lake_layout import LakeLayout
from monitory.machine import Machine, machine
from monitory.readings import objects
from monitory.readings.by_hour import DateFilter, ReadingsByHour
from monitory.readings.kernels import Kernel
from monitory.readings.objects import ObjectKey
from monitory.sensors import SensorSet


class ReadingsByMachine:
    """Readings of any number of machines, packed: those of a factory's whole day are in memory at once.

    Attributes:
        machines: each machine's readings.
    """

    def __init__(self, sensors: SensorSet, kernel: Kernel, layout: LakeLayout) -> None:
        """No readings yet."""
        self.machines: dict[Machine, ReadingsByHour] = {}
        self._sensors = sensors
        self._kernel = kernel
        self._layout = layout
        self._sensor_types = tuple(sensor.lake_name for sensor in sensors.sensors)

    def add(self, key: ObjectKey, chunks: Iterable[bytes]) -> tuple[set[int], Rejects, str | None]:
        """Add an object's readings.

        Args:
            key: the object's; an empty name of its machine stands for any.
            chunks: its bytes.

        Returns:
            The hours of its readings, the records that cannot be used, and why nothing in it is readable, if so.
        """
        rejects = Rejects()
        filters: dict[Machine, DateFilter] = {}

        def take(batch: list[Reading], size: int) -> None:
            by_names: dict[tuple[str, str], list[Reading]] = {}
            for reading in batch:
                by_names.setdefault((reading.zone_id, reading.equip_id), []).append(reading)
            for names, group in by_names.items():
                try:
                    owner = machine(*names)
                except InvalidIdentifier:
                    rejects.add(UNUSABLE_ID, ascii("/".join(names))[1:-1], len(group))
                    continue
                readings = self.machines.get(owner)
                if readings is None:
                    readings = ReadingsByHour(self._sensors, self._kernel, self._layout, is_packed=True)
                    self.machines[owner] = readings
                date_filter = filters.setdefault(owner, DateFilter(key.day, rejects))
                readings.take(group, size * len(group) // len(batch), date_filter)

        form = RecordForm(key.machine, self._sensor_types, self._layout)
        readable, unreadable = 0, None
        try:
            readable = objects.read(key.path, chunks, form, self._kernel, rejects, take)
            for date_filter in filters.values():
                date_filter.close()
            objects.check_readable(key.path, readable, rejects)
        except UnreadableObject as exc:
            unreadable = str(exc)
        return {hour for date_filter in filters.values() for hour in date_filter.hours}, rejects, unreadable
