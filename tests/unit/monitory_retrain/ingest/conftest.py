"""A lake of two machines and three days."""

import pytest

from tests.support.retrain.nights import World


@pytest.fixture
def world() -> World:
    return World()
