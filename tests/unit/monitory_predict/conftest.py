"""The application over a machine that has been read for 29 hours, and a model."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from monitory import clock
from tests.support.predicting import NOW, V1, World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    made = World()
    made.write_hours(range(1, 30))
    made.promote(V1)
    return made


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with TestClient(world.app(), raise_server_exceptions=False) as made:
        yield made
