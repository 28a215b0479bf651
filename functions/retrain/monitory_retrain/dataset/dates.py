"""The factory's dates of hours, as numbers."""

import numpy as np

from monitory import clock
from monitory_retrain.array_types import Ints


def date_numbers(hours: Ints) -> Ints:
    """The number (`date.toordinal`) of the date that each hour starts on, shape (n,).

    A date has 23 to 25 hours where clocks change, so it is no quotient of the hour.
    """
    different, places = np.unique(hours, return_inverse=True)
    numbers = np.array([clock.date_of_hour(hour).toordinal() for hour in different.tolist()], dtype=np.int64)
    return numbers[places] if len(different) else numbers
