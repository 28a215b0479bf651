"""Many retrains, promotions and rollbacks at once, some of which die in the middle, against the embedded S3."""

import random
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from monitory.errors import NoModel
from monitory.features import failure_state
from monitory.registry.registry import Registry
from monitory.storage.s3 import S3Storage
from tests.faults.conftest import Ledger
from tests.support.mortal import Command
from tests.support.processes import Processes, answers
from tests.support.retraining import DAYS, REMEMBERED, faults_of, gaps_of, nightly
from tests.support.world import MODEL_KEY, REGION, fill_days

WRITERS = 5
EVENTS = 8


class Reader(threading.Thread):
    """Looks at what is served, again and again, as predict functions do."""

    def __init__(self, models: S3Storage) -> None:
        super().__init__(daemon=True)
        self.models, self.looks, self.wrong = models, 0, list[str]()
        self.ending = threading.Event()

    def run(self) -> None:
        while not self.ending.wait(0.02):
            self.wrong += faults_of(self.models)
            self.looks += 1


@pytest.mark.parametrize("dies_often", [0.0, pytest.param(0.03, marks=pytest.mark.slow)])
def test_each_race_has_one_winner_and_the_history_is_whole(
    dies_often: float, lake_bucket: str, model_bucket: str, processes: Processes, tmp_path: Path, ledger: Ledger
) -> None:
    fill_days(S3Storage(lake_bucket, region=REGION), DAYS[0], len(DAYS))
    models = S3Storage(model_bucket, region=REGION)
    failure_state.write(models, REMEMBERED)
    first = tmp_path / "first.ndjson"
    assert processes.run(Command(lake_bucket, model_bucket, [nightly(f"first-{n}") for n in range(3)], str(first))) == 0
    versions = list(Registry(models, MODEL_KEY).versions())
    reader = Reader(models)
    commands = []
    for number in range(WRITERS):
        chosen = random.Random(number)
        events = [_event(chosen, f"{number}-{at}", versions) for at in range(EVENTS)]
        file = str(tmp_path / f"{number}.ndjson")
        seed = 100 * (number + 1)
        commands.append(Command(lake_bucket, model_bucket, events, file, seed=seed, dies_often=dies_often))
    reader.start()
    try:
        died = processes.run(*commands)
    finally:
        reader.ending.set()
        reader.join()
    last = tmp_path / "last.ndjson"
    assert processes.run(Command(lake_bucket, model_bucket, [nightly("last")], str(last), seed=900)) == 0

    told = [answer for command in commands for answer in answers(Path(command.answers))]
    told += [*answers(first), *answers(last)]
    history = Registry(models, MODEL_KEY).history()
    wrong = [*reader.wrong, *gaps_of(models)]
    # two that roll back at once may be told of one and the same promotion: the one finishes what the other began
    promotions = {(answer["version"], answer.get("promotion")) for answer in told if _promoted(answer)}
    won = Counter(version for version, _ in promotions)
    recorded = Counter(promotion.version for promotion in history)
    wrong += [f"{version} was promoted and is not in the history" for version in won - recorded]
    unknown = recorded - won
    if unknown.total() > died:
        wrong.append(f"promotions that nobody was told of: {unknown}, with {died} dead")
    wrong += [f"{answer}" for answer in told if answer["status"] == "failed"]
    tries = sum(len(command.events) for command in commands)
    beaten = sum(answer["status"] == "refused" for answer in told)
    seen = f"{won.total()} promoted, {beaten} refused, {died} died, {reader.looks} looks at what is served"
    ledger.note(
        "races", f"{WRITERS} writers at once{', dying' if dies_often else ''}", seen, tries=tries, lost=len(wrong)
    )
    assert not wrong
    assert reader.looks > 0
    assert len(history) > 5


def _promoted(answer: dict[str, Any]) -> bool:
    return bool(answer.get("promoted")) or "promotion" in answer


def _event(chosen: random.Random, name: str, versions: list[str]) -> dict[str, object]:
    kind = chosen.random()
    if kind < 0.4:
        return nightly(name)
    if kind < 0.75:
        return {"action": "promote", "version": chosen.choice(versions), "by": name}
    return {"action": "rollback", "by": name}


def test_nothing_served_is_no_model(model_bucket: str) -> None:
    with pytest.raises(NoModel):
        Registry(S3Storage(model_bucket, region=REGION), MODEL_KEY).served()
