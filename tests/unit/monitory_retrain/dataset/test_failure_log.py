"""The failure log: its lines one by one, whatever they hold."""

from datetime import datetime

import pytest

from monitory.clock import hour_of
from monitory.errors import ObjectNotFound
from monitory_retrain.dataset import failure_log
from tests.support.fakes import MemoryStorage

TEN = datetime(2026, 11, 20, 10)


def test_lines_are_hours_by_machine() -> None:
    storage = MemoryStorage()
    lines = [
        b'{"equipId": "A", "time": "2026-11-20T10:59:59"}',
        b'{"time": "2026-11-21T10:00:00", "equipId": "A", "cause": "bearing"}',
        b"",
        b'{"equipId": "B", "time": "2026-11-20T10:00:00"}',
    ]
    storage.put("log", b"\n".join(lines))
    assert failure_log.read(storage, "log") == ({"A": [hour_of(TEN), hour_of(TEN) + 24], "B": [hour_of(TEN)]}, 0)


@pytest.mark.parametrize(
    "line",
    [
        b"x",
        b"{}",
        b"[]",
        b'{"equipId": "\xff", "time": "2026-11-20T10:00:00"}',
        b'{"equipId": "A", "time": "soon"}',
        b'{"x":' * 100_000,
        b'{"equipId":' + b"[" * 100_000,
    ],
    ids=lambda value: repr(value[:24]),
)
def test_a_line_that_cannot_be_read_is_counted_and_the_others_are_read(line: bytes) -> None:
    storage = MemoryStorage()
    storage.put("log", line + b'\n{"equipId": "A", "time": "2026-11-20T10:00:00"}\n')
    assert failure_log.read(storage, "log") == ({"A": [hour_of(TEN)]}, 1)


def test_a_log_that_is_missing_is_no_log_without_failures() -> None:
    with pytest.raises(ObjectNotFound):
        failure_log.read(MemoryStorage(), "log")
