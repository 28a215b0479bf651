"""The table of words: complete, and nothing in it that the page does not say."""

import ast
import re
from collections.abc import Iterator
from importlib import resources
from itertools import chain
from string import Formatter

import pytest
from jinja2 import Environment, nodes
from markupsafe import Markup

from monitory_retrain import report
from monitory_retrain.report import language
from monitory_retrain.report.language import labels, sentences
from monitory_retrain.report.language.words import korean, say
from tests.support import reports
from tests.support.page_reader import Reader

HANGUL = re.compile("[가-힣]")


def keys() -> Iterator[str]:
    """The first argument of each `say`, in code and templates, and the forms of sentences and labels."""
    yield from sentences.TEXTS
    yield from sentences.SENSORS
    yield from labels.LABELS
    for file in chain.from_iterable(resources.files(room).iterdir() for room in (report, language)):
        if file.name.endswith(".py"):
            for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "say":
                    assert isinstance(call.args[0], ast.Constant), f"{file.name}:{call.lineno} says no literal"
                    yield str(call.args[0].value)
        elif file.name.endswith(".html"):
            for node in Environment(autoescape=True).parse(file.read_text(encoding="utf-8")).find_all(nodes.Call):
                if isinstance(node.node, nodes.Name) and node.node.name == "say":
                    assert isinstance(node.args[0], nodes.Const), f"{file.name}:{node.lineno} says no literal"
                    yield str(node.args[0].value)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_text_has_its_korean_words_and_none_is_left_over() -> None:
    texts = {text for text in keys() if re.search("[a-z]", re.sub(r"{\w+}", "", text))}
    assert len(texts) > 100
    assert texts == set(korean())


@pytest.mark.parametrize("text", korean())
def test_the_languages_have_the_same_values(text: str) -> None:
    assert fields(korean()[text]) == fields(text)


def test_both_languages_are_in_the_page_and_a_reader_sees_one() -> None:
    page = reports.page()
    english, other = Reader(page, "en").text, Reader(page, "ko").text
    assert HANGUL.findall(english.replace("한국어", "")) == []
    assert "Verdict: fit to be served" in english
    assert "판정: 사용 가능" in other
    assert "Would it have warned?" not in other
    assert "predicted RUL, days" in english
    assert "예측 RUL, 일" in other
    assert "predicted RUL, days" not in other


def test_what_stands_in_braces_is_escaped_and_told_in_the_same_language() -> None:
    phrase = say(
        "{day} ({hours} machine hours) against the training data of {model}.",
        day="<b>",
        hours=3,
        model=say("this model"),
    )
    assert str(phrase) == "<b> (3 machine hours) against the training data of this model."
    assert phrase.__html__() == (
        '<span lang="en">&lt;b&gt; (3 machine hours) against the training data of this model.</span>'
        '<span lang="ko">&lt;b&gt;(설비 3시간)을 이 모델의 학습 데이터와 비교했습니다.</span>'
    )


def test_markup_among_the_values_stays_markup() -> None:
    assert "<i>5</i>일 전" in say("{days} days before", days=Markup("<i>5</i>")).__html__()


def test_what_is_the_same_in_both_languages_is_told_once() -> None:
    assert say("{hour}: {error}", hour="3", error="4 & 5").__html__() == "3: 4 &amp; 5"
