"""The oracle of the simulated factory, judged by the truth that it does not see."""

from datetime import date

import numpy as np

from benchmarks import factory, oracle
from monitory import sensors
from monitory.clock import first_hour
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.wear import Plan

START = first_hour(date(2026, 1, 1))
HOURS = range(START, START + 20 * 24)


def test_the_oracle_is_far_better_than_the_mean_and_best_near_a_failure() -> None:
    producer = Producer(Plan(START, machines=6, seed=3, rate_seconds=60))
    rows = factory.join(producer, HOURS, sensors.load())
    wanted = [
        (number, hour, days)
        for number, machine in enumerate(producer.machines)
        for hour in HOURS[10 * 24 :: 5]
        if machine.lives.runs(hour) and (days := machine.lives.truth(hour).rul_days) is not None
    ]
    machine, hour, true = (np.array(column) for column in zip(*wanted, strict=True))
    told = oracle.answers(producer.machines, rows, sensors.load(), machine, hour, 30.0)
    error = np.abs(told - true)
    assert error.mean() < 0.6 * np.abs(true - true.mean()).mean()
    assert error[true <= 1].mean() < error.mean()
    later = oracle.answers(producer.machines, rows, sensors.load(), machine[::2], hour[::2], 30.0)
    assert np.array_equal(later, told[::2])  # what is asked besides does not matter
