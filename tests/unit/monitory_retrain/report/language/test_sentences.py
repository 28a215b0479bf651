"""Sentences that other rooms write are recognised: each here is written by the code that writes it for the report."""

import re
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from markupsafe import escape

from monitory_retrain.evaluation import drift, realised, verdict
from monitory_retrain.evaluation.holdout import Baselines
from monitory_retrain.evaluation.scores import score
from monitory_retrain.evaluation.verdict import Comparison
from monitory_retrain.report.language import labels
from monitory_retrain.report.language.labels import LABELS
from monitory_retrain.report.language.sentences import TEXTS, told
from monitory_retrain.report.language.words import Phrase
from tests.support import reports

TRUE = np.linspace(0.0, 12.0, 100)
GOOD = msgspec.structs.replace(score(TRUE, TRUE + 0.5), brier=0.05, coverage=0.9)
BAD = msgspec.structs.replace(GOOD, rows=3, near_rows=0, brier=0.5, coverage=0.5, mae=9.0, r2=0.1, near_mae=3.0)
RULES = Baselines(*(msgspec.structs.replace(GOOD, brier=0.2, mae=3.0),) * 2)


def against(mae: float, high: float, **changes: object) -> verdict.Verdict:
    ours = msgspec.structs.replace(GOOD, mae=mae, **changes)
    comparison = Comparison(mae - GOOD.mae, -0.2, high, 24)
    return verdict.against(GOOD, ours, comparison, RULES, margin=0.02, coverage=0.9)


def reasons() -> Iterator[str]:
    bad_without = msgspec.structs.replace(BAD, brier=None)
    for scores in (GOOD, BAD, bad_without, msgspec.structs.replace(bad_without, r2=None)):
        yield from verdict.first(scores, RULES).reasons
    yield from verdict.first(msgspec.structs.replace(GOOD, brier=None), RULES).reasons
    yield from against(0.1, -0.1).reasons
    yield from against(0.1, 0.1).reasons
    yield from against(0.499, 0.1).reasons
    yield from against(2.0, 0.1, near_mae=8.0, coverage=0.5).reasons
    yield from against(2.0, 0.1, coverage=None).reasons


def others() -> Iterator[str]:
    yield from reports.realised().shortfalls
    missed = reports.realised().overall
    missed.announcements[0].announced, missed.announcements[0].missed = 1, 5
    missed.coverage = 0.5
    yield from realised.shortfalls(missed, 0.9)
    found = reports.findings().drift
    assert found.predictions is not None
    yield from (sensor.sentence for sensor in (*found.sensors, found.predictions))
    day = reports.challenger().last_day
    silent = replace(day, matrix=np.full_like(day.x, np.nan), at=None)
    missing = drift.compare(reports.challenger().reference, silent, np.zeros(len(day)), reports.SENSORS)
    yield from (sensor.sentence for sensor in missing.sensors)


def test_every_sentence_is_told_in_both_languages_and_keeps_its_values() -> None:
    forms = set()
    for sentence in {*reasons(), *others()}:
        phrase = told(sentence)
        assert isinstance(phrase, Phrase), sentence
        assert str(phrase) == sentence
        assert phrase.__html__().startswith(f'<span lang="en">{escape(sentence)}</span><span lang="ko">')
        forms.add(phrase.text)
    # the evaluator's two, which need a served model, and values of others
    assert len(set(TEXTS) - forms) <= 10


@pytest.mark.parametrize("sentence", ["", "something else", "<script>alert(1)</script>"])
def test_other_sentences_stay_as_they_are(sentence: str) -> None:
    assert told(sentence) == sentence


def test_what_is_put_into_a_sentence_is_escaped() -> None:
    phrase = told("the served model cannot be used (<b>x</b>)")
    assert isinstance(phrase, Phrase)
    assert "<b>" not in phrase.__html__()


def test_every_word_in_a_drawing_has_its_own_form() -> None:
    for text in LABELS:
        values = dict.fromkeys(re.findall(r"{(\w+)}", text), "7")
        phrase = told(text.format(**values), LABELS)
        assert isinstance(phrase, Phrase)
        assert phrase.text == text


def test_a_drawing_has_each_of_its_words_twice_and_names_once() -> None:
    drawing = labels.bilingual(
        '<svg><text x="1">true</text><text x="2">EQ &lt;1&gt;: MAE 2 days</text><text>P-7</text></svg>'
    )
    assert drawing == (
        '<svg><text lang="en" x="1">true</text><text lang="ko" x="1">실제</text>'
        '<text lang="en" x="2">EQ &lt;1&gt;: MAE 2 days</text><text lang="ko" x="2">EQ &lt;1&gt;: MAE 2일</text>'
        "<text>P-7</text></svg>"
    )
