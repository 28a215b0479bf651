"""What the score function keeps belongs to one lake; a lake that it does not read stops it at its start."""

import json
from pathlib import Path
from typing import Any

import pytest

from monitory.errors import LakeLayoutError
from monitory.features import failure_state
from monitory.features.failure_state import FailureState
from monitory.lake import Lake
from monitory.layout.lake_layout import DEFAULT_LAYOUT, FieldNames, LakeLayout
from monitory.scoring import fleet, prediction_log
from monitory.settings import ScoreSettings
from monitory_score.bootstrap import build_run
from tests.support.fakes import MemoryStorage
from tests.support.models import SENSORS
from tests.support.predicting import V1, World
from tests.support.samples import MACHINE
from tests.support.scoring import LAKE, answer_of, log_lines, score


@pytest.mark.parametrize(
    ("lake", "word"),
    [({"folders": "date={date}"}, "several machines in one object"), ({"format": "parquet"}, "Parquet")],
)
def test_a_lake_that_scoring_does_not_read_stops_it_in_words(tmp_path: Path, lake: dict[str, Any], word: str) -> None:
    file = tmp_path / "lake.json"
    file.write_text(json.dumps(lake))
    with pytest.raises(LakeLayoutError, match=rf"set Scoring \(SCORING\) to false for a lake of {word}"):
        build_run(ScoreSettings(lake_file=str(file)))


@pytest.mark.parametrize(
    ("prefix", "layout"),
    [
        ("OTHER", DEFAULT_LAYOUT),
        ("EQUIPMENT", LakeLayout(naive_time_zone="UTC")),
        ("EQUIPMENT", LakeLayout(fields=FieldNames(val="value"))),
        ("EQUIPMENT", LakeLayout(time_zone="Asia/Tokyo")),
    ],
)
def test_another_prefix_or_description_has_another_name(prefix: str, layout: LakeLayout) -> None:
    assert Lake(MemoryStorage("lake"), prefix, SENSORS, layout=layout).fingerprint() != LAKE


def test_two_lakes_on_one_bucket_share_neither_answers_nor_lines() -> None:
    here, there = World(), World()
    there.lake_storage.name = "another-lake"
    there.model_storage = here.model_storage
    for world, hours in ((here, range(1, 10)), (there, range(1, 4))):
        world.write_hours(hours)
    here.promote(V1)
    assert score(here).logged == 2
    assert score(there).logged == 2
    assert (score(here).read, score(there).read) == (0, 0)
    assert len(log_lines(here.model_storage)) == 4
    assert {entry.key.split("-")[-1] for entry in here.model_storage.list(prediction_log.FOLDER)} == {
        f"{LAKE}.ndjson.gz",
        f"{DEFAULT_LAYOUT.fingerprint('another-lake', 'EQUIPMENT')}.ndjson.gz",
    }
    assert answer_of(here.model_storage, MACHINE)["window"]["history_hours"] == 9
    others = fleet.state_object(DEFAULT_LAYOUT.fingerprint("another-lake", "EQUIPMENT")).read(here.model_storage).value
    state = others.machine(MACHINE)
    assert state is not None
    assert json.loads(bytes(state.answer))["window"]["history_hours"] == 3


def test_failures_of_another_lake_are_no_failures_here() -> None:
    storage = MemoryStorage("models")
    failure_state.merge(storage, FailureState(None, {str(MACHINE): 495_000}, lake="1a2b3c4d"))
    assert failure_state.read(storage, "1a2b3c4d").state.last == {str(MACHINE): 495_000}
    assert failure_state.read(storage, LAKE).state.last == {}
    failure_state.merge(storage, FailureState(None, {str(MACHINE): 400_000}, lake=LAKE))
    assert failure_state.read(storage, LAKE).state.last == {str(MACHINE): 400_000}


def test_failures_that_name_no_lake_are_those_of_any() -> None:
    storage = MemoryStorage("models")
    failure_state.write(storage, FailureState(None, {str(MACHINE): 495_000}))
    assert failure_state.read(storage, LAKE).state.last == {str(MACHINE): 495_000}
