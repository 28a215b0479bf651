"""What is said to be true shows in the readings, and sensors lie as they are meant to."""

from collections import Counter
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from monitory import sensors
from monitory_local.simulator.faults import Fault
from monitory_local.simulator.readings import MachineReadings, SensorHour
from monitory_local.simulator.signals import default_signals
from monitory_local.simulator.wear import Plan, State, Truth
from tests.support.factory import HOURS, PLAN, START


@cache
def _hours_of(number: int) -> list[tuple[Truth, list[SensorHour]]]:
    """What is true of a machine of the factory in each hour, and its readings."""
    machine = MachineReadings(PLAN, number)
    return [(machine.lives.truth(hour), machine.hour(hour)) for hour in HOURS]


def _hours() -> Iterator[tuple[Truth, list[SensorHour]]]:
    """The hours of all machines of the factory."""
    for number in range(PLAN.machines):
        yield from _hours_of(number)


def _outside(sensors_of_hour: list[SensorHour]) -> dict[str, float]:
    """Share of readings outside the alert limits, by sensor."""
    return {
        sensor.signal.name: float(np.mean((sensor.values < sensor.signal.low) | (sensor.values > sensor.signal.high)))
        for sensor in sensors_of_hour
    }


def test_readings_stay_outside_the_worn_sensors_limit_in_a_failure_and_nowhere_else() -> None:
    failing, other = [], []
    for truth, sensors_of_hour in _hours():
        outside = _outside(sensors_of_hour)
        if truth.state is State.FAILING:
            assert truth.worn_sensor
            failing.append(outside[truth.worn_sensor])
        elif outside:
            other.append(max(outside.values()))
    assert len(failing) > 10
    assert min(failing) >= 0.55
    assert max(other) < 0.5


def test_wear_drives_its_sensor_further_than_any_other() -> None:
    near, found = 0, 0
    for truth, sensors_of_hour in _hours():
        if truth.state is not State.WORN or truth.wear < 0.7:
            continue
        drift = {
            sensor.signal.name: abs(float(np.median(sensor.values)) - sensor.signal.mean) / sensor.signal.deviation
            for sensor in sensors_of_hour
        }
        if truth.worn_sensor in drift:
            near += 1
            found += max(drift, key=lambda name: drift[name]) == truth.worn_sensor
    assert near > 50
    assert found / near > 0.95


def test_spikes_have_their_share_and_their_range() -> None:
    plan = Plan(START, machines=1, rate_seconds=10, spike_share=0.03)
    machine = MachineReadings(plan, 0)
    spikes = readings = 0
    for hour in range(START, START + 100):
        if machine.lives.truth(hour).state is State.OFF:
            continue
        for sensor in machine.hour(hour):
            spikes += int(sensor.spikes.sum())
            readings += len(sensor.values)
            share_of_range = sensor.values[sensor.spikes] / sensor.signal.ceiling
            assert share_of_range.size == 0 or 0.799 < share_of_range.min() <= share_of_range.max() <= 1
    assert spikes / readings == pytest.approx(0.03, abs=0.003)


def test_a_machine_that_is_off_is_silent_or_draws_no_power() -> None:
    seen = Counter[str]()
    for truth, sensors_of_hour in _hours():
        if truth.state is State.OFF:
            power = [s.values.max() for s in sensors_of_hour if s.signal.name == "active_power"]
            assert all(value < 500 for value in power)
            seen["flat" if power else "silent"] += 1
    assert seen["flat"] > 10
    assert seen["silent"] > 10


def test_sensors_fall_silent_for_hours_but_never_in_a_failure() -> None:
    silent_hours = 0
    for truth, sensors_of_hour in _hours():
        if truth.state is State.FAILING:
            assert len(sensors_of_hour) == len(default_signals())
        elif sensors_of_hour:
            silent_hours += len(sensors_of_hour) < len(default_signals())
    assert silent_hours > 20


def test_sensors_lie_in_four_ways_while_the_machine_goes_on() -> None:
    plan = Plan(START, machines=4, rate_seconds=60, fault_share=0.5, spike_share=0.0)
    honest = Plan(START, machines=4, rate_seconds=60, spike_share=0.0)
    lies = Counter[Fault]()
    for number in range(plan.machines):
        machine, other = MachineReadings(plan, number), MachineReadings(honest, number)
        for hour in HOURS[: 5 * 24]:
            lying = machine.faults(hour)
            true = {one.signal.name: one.values for one in other.hour(hour)}
            told = machine.hour(hour)
            assert len(true) == len(told)
            for index, sensor in enumerate(machine.signals):
                values = next((one.values for one in told if one.signal is sensor), None)
                if values is None:
                    continue
                if index not in lying:
                    assert np.array_equal(values, true[sensor.name])
                    continue
                fault = lying[index]
                lies[fault] += 1
                if fault in (Fault.SENTINEL, Fault.IMPLAUSIBLE):
                    assert not any(sensors.load().sensors[index].is_plausible(value) for value in values)
                elif fault is Fault.STUCK:
                    assert len(set(values)) == 1
                else:
                    assert np.abs(values - true[sensor.name]).max() <= 0.51 * sensor.deviation
    assert min(lies[fault] for fault in Fault) > 5
