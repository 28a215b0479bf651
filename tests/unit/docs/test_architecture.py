"""The tables of architecture.md name what is there: a newcomer's way to the line to change, mechanisms, time limits."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.pages import LINK, ROOT, section, text

PAGE = "docs/architecture.md"
ANCHOR = f"{PAGE}#where-do-i-change"
KINDS = ("Request path", "Score", "Retrain")

_NAMES = r"`[\w-]+`(?:(?:, | and )`[\w-]+`)*"
_PLACE = re.compile(rf"\]\(([^)]+)\): ({_NAMES})")
_CODE = re.compile(r"`([\w-]+)`")
_NUMBER = re.compile(r"\d+(?:,\d{3})*")


def rows(title: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    table = [line.strip("|").split("|") for line in section(PAGE, title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in table[2:]]


def file_of(link: str) -> Path:
    return (ROOT / PAGE).parent / link


def places(cell: str) -> list[tuple[str, str]]:
    """Files, as links, with each name that the cell gives for them."""
    return [(link, name) for link, names in _PLACE.findall(cell) for name in _CODE.findall(names)]


def nowhere(*cells: str) -> list[tuple[str, str]]:
    """The places of some cells whose file does not define the name."""
    return [(link, name) for cell in cells for link, name in places(cell) if name not in definitions(file_of(link))]


@cache
def definitions(file: Path) -> set[str]:
    """What a file defines: classes, functions, arguments, names and fields of Python; keys, targets, macros."""
    source = file.read_text(encoding="utf-8")
    if file.suffix == ".js":
        return set(re.findall(r"^(?:export )?(?:async )?(?:function|const|class) (\w+)", source, re.MULTILINE))
    if file.suffix != ".py":
        return set(re.findall(r'^\s*"?([\w-]+)"?:', source, re.MULTILINE)) | set(re.findall(r"\{% macro (\w+)", source))
    names = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.arg(arg=name):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


def values(file: Path, name: str) -> set[float]:
    """The numbers that a file gives to a name: a constant or an argument's default in Python, else a key's values."""
    source = file.read_text(encoding="utf-8")
    given = re.findall(rf"^\s*{name}(?:: \w+)?(?: =|:) (?:timedelta\(seconds=)?([\d.]+)", source, re.MULTILINE)
    return {float(number) for number in given}


@pytest.mark.parametrize("page", ["README.md", "README.ko.md", "CONTRIBUTING.md"])
def test_a_newcomer_reaches_the_table_in_one_step(page: str) -> None:
    assert f"]({ANCHOR})" in text(page)


@pytest.mark.parametrize("row", rows("Where do I change…"), ids=lambda row: row[0])
def test_a_question_is_answered_by_a_file_and_names_that_it_defines(row: list[str]) -> None:
    _, line, consequences = row
    assert places(line), "no file with a name"
    assert nowhere(line, consequences) == []


@pytest.mark.parametrize("row", [row for kind in KINDS for row in rows(kind)], ids=lambda row: row[0][:40])
def test_a_mechanism_has_a_gain_a_place_and_a_command_that_measures_it(row: list[str]) -> None:
    _, purpose, gain, where, command = row
    assert purpose
    assert re.search(r"\d", gain) or "by test" in gain
    assert places(where)
    assert nowhere(where) == []
    assert re.match(r"`(make [a-z-]+|python -m benchmarks\.\w+[^`]*)`", command)
    if "`make test`" in command:
        assert [file_of(link).is_file() for link in LINK.findall(command)] == [True]  # which one of all these


@pytest.mark.parametrize("row", rows("Time limits"), ids=lambda row: row[0][:40])
def test_a_time_limit_is_that_of_the_code(row: list[str]) -> None:
    _, seconds, where = row
    stated = {float(number.replace(",", "")) for number in _NUMBER.findall(seconds)}
    assert places(where)
    assert nowhere(where) == []
    actual = [values(file_of(link), name) for link, name in places(where)]
    assert [found for found in actual if not found & stated] == []


def test_the_ten_questions_of_contributing_have_rows() -> None:
    questions = re.findall(rf"\]\({ANCHOR}\)\*\* ([^.]+?), are answered", text("CONTRIBUTING.md"))[0].split(", ")
    assert len(questions) == 10
    assert set(questions) - {what for what, _, _ in rows("Where do I change…")} == set()


def test_a_name_that_is_merely_used_is_no_definition() -> None:
    vector = ROOT / "layers" / "shared" / "monitory" / "features" / "vector.py"
    assert "build" in definitions(vector)
    assert "off_rule" not in definitions(vector)  # imported there
    assert "AlarmTopic" in definitions(ROOT / "template.yaml")
