"""Which model a night promotes, and over which."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from monitory.errors import StorageUnavailable
from monitory.registry.registry import CARD_FILE, MODEL_FILE, Registry
from monitory_retrain import pipeline, report
from monitory_retrain.job import Job, JobResult
from tests.support.models import card, small_text, with_leaves
from tests.support.registries import A, promote, put_foreign
from tests.support.retrain.jobs import NIGHT
from tests.support.retraining import challenger


def test_a_served_model_that_fails_on_the_hold_out_is_replaced(job: Job, night: Callable[..., JobResult]) -> None:
    body = with_leaves(small_text(), {13: b"nan"})
    files = {MODEL_FILE: (body, "text/plain"), CARD_FILE: (msgspec.json.encode(card(A)), "application/json")}
    job.registry.store(A, files)
    promote(job.registry, A)
    answer = night()
    assert answer["promoted"]
    assert answer["champion"] is None
    assert job.registry.served().version == answer["version"]


def judged(job: Job, monkeypatch: pytest.MonkeyPatch, brier: float | None = None) -> JobResult:
    """A night whose challenger is judged by its real hold-out, with another Brier score where one is given."""
    found = challenger(1)
    if brier is not None:
        found = replace(found, scores=msgspec.structs.replace(found.scores, brier=brier))
    monkeypatch.setattr(pipeline, "learn", lambda *args, **kwargs: found)
    monkeypatch.setattr(report, "render", lambda findings: b"<!doctype html><title>report</title>")
    return job.train(NIGHT, lambda: True)


def foreign(job: Job) -> None:
    put_foreign(job.registry, small_text())


def poor(job: Job) -> None:
    """A champion of ours that knows nothing of this factory."""
    files = {MODEL_FILE: (small_text(), "text/plain"), CARD_FILE: (msgspec.json.encode(card(A)), "application/json")}
    job.registry.store(A, files)
    promote(job.registry, A)


def none(job: Job) -> None:
    pass


@pytest.mark.parametrize(
    ("champion", "reason"),
    [
        (foreign, "better than the champion by "),
        (poor, "better than the champion by "),
        (none, "the first model: Brier score "),
    ],
)
def test_a_model_that_passes_the_bar_is_promoted(
    job: Job, monkeypatch: pytest.MonkeyPatch, champion: Callable[[Job], None], reason: str
) -> None:
    champion(job)
    answer = judged(job, monkeypatch)
    assert answer["promoted"], answer["reasons"]
    assert answer["reasons"][0].startswith(reason)
    assert job.registry.served().version == answer["version"]


@pytest.mark.parametrize("champion", [foreign, poor, none])
def test_a_model_below_the_bar_is_promoted_over_nothing(
    job: Job, monkeypatch: pytest.MonkeyPatch, champion: Callable[[Job], None]
) -> None:
    champion(job)
    before = job.registry.served_or_none()
    answer = judged(job, monkeypatch, brier=0.9)
    assert not answer["promoted"]
    assert answer["reasons"][0].startswith("its probabilities of failure have a skill of -")
    assert job.registry.served_or_none() == before
    assert answer["version"] in set(job.registry.versions())


def dies_before_promoting(job: Job, monkeypatch: pytest.MonkeyPatch, night: Callable[..., JobResult]) -> None:
    def dies(*args: object, **kwargs: object) -> None:
        raise StorageUnavailable("promotion")

    with monkeypatch.context() as dying:
        dying.setattr(Registry, "promote", dies)
        with pytest.raises(StorageUnavailable):
            night()


def test_the_version_of_a_run_that_died_is_promoted_by_the_next(
    job: Job, night: Callable[..., JobResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    dies_before_promoting(job, monkeypatch, night)
    (stored,) = job.registry.versions()
    answer = night()
    assert (answer["version"], answer["promoted"]) == (stored, True)
    assert list(job.registry.versions()) == [stored]


@pytest.mark.parametrize("made", [None, b"{", msgspec.json.encode(card(A))], ids=["none", "damaged", "another"])
def test_a_version_of_the_same_text_without_that_card_is_not_taken_for_it(
    job: Job, night: Callable[..., JobResult], made: bytes | None
) -> None:
    files = {MODEL_FILE: (challenger().trained.text.encode(), "text/plain")}
    job.registry.store(A, files | ({CARD_FILE: (made, "application/json")} if made else {}))
    answer = night()
    assert answer["promoted"]
    assert list(job.registry.versions()) == sorted([A, answer["version"]])
    assert answer["version"] != A
