"""Figures of realised accuracy among other runs that write them."""

from datetime import timedelta

import pytest

from monitory.errors import PreconditionFailed, StorageUnavailable
from monitory.scoring import performance
from monitory.scoring.performance import Performance
from tests.support.fakes import WatchedStorage

FIGURES = Performance.model_validate(Performance.model_config["json_schema_extra"]["examples"][0])  # type: ignore[index]


def earlier() -> Performance:
    return FIGURES.model_copy(update={"last_day": FIGURES.last_day - timedelta(days=1)})


def test_newer_figures_are_not_replaced_by_older_ones() -> None:
    storage = WatchedStorage()
    performance.write(storage, FIGURES)
    performance.write(storage, earlier())
    assert performance.latest(storage) == FIGURES
    assert f"{performance.FOLDER}/{earlier().last_day}.json" in storage.objects


@pytest.mark.parametrize(("lost", "is_written"), [(4, True), (5, False)])
def test_writers_who_are_always_first_are_named(lost: int, is_written: bool) -> None:
    left = [lost]

    def meet_another(verb: str, key: str) -> None:
        if (verb, key) == ("put", performance.LATEST) and left[0]:
            left[0] -= 1
            raise PreconditionFailed("another run wrote meanwhile")

    storage = WatchedStorage(before=meet_another)
    if is_written:
        performance.write(storage, FIGURES)
        assert performance.latest(storage) == FIGURES
    else:
        with pytest.raises(StorageUnavailable, match=r"performance/latest\.json changes whenever"):
            performance.write(storage, FIGURES)
