"""A lake with the readings of 29 hours."""

import pytest

from tests.support.predicting import World


@pytest.fixture
def world() -> World:
    made = World()
    made.write_hours(range(1, 30))
    return made
