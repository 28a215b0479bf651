"""A newcomer's way: README or CONTRIBUTING -> the table of what to change -> a file and a name that it defines."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ARCHITECTURE = ROOT / "docs" / "architecture.md"
ANCHOR = "docs/architecture.md#where-do-i-change"

_NAMES = r"`[\w-]+`(?:(?:, | and )`[\w-]+`)*"
_PLACE = re.compile(rf"\]\(([^)]+)\): ({_NAMES})")
_CODE = re.compile(r"`([\w-]+)`")


def rows() -> list[list[str]]:
    """The table's cells: what, line to change, what else moves."""
    section = ARCHITECTURE.read_text(encoding="utf-8").partition("## Where do I change…\n")[2].partition("\n## ")[0]
    table = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in table[2:]]


def places(cell: str) -> list[tuple[str, str]]:
    """Files, as links, with each name that the cell gives for them."""
    return [(link, name) for link, names in _PLACE.findall(cell) for name in _CODE.findall(names)]


@cache
def definitions(file: Path) -> set[str]:
    """What a file defines: classes, functions, names and fields of Python; keys, targets and macros of others."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        return set(re.findall(r'^\s*"?([\w-]+)"?:', text, re.MULTILINE)) | set(re.findall(r"\{% macro (\w+)", text))
    names = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


@pytest.mark.parametrize("page", ["README.md", "README.ko.md", "CONTRIBUTING.md"])
def test_a_newcomer_reaches_the_table_in_one_step(page: str) -> None:
    assert f"]({ANCHOR})" in (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_question_is_answered_by_a_file_and_names_that_it_defines(row: list[str]) -> None:
    _, line, consequences = row
    assert places(line), "no file with a name"
    wrong = [
        (link, name)
        for link, name in places(line) + places(consequences)
        if name not in definitions((ARCHITECTURE.parent / link).resolve())
    ]
    assert wrong == []


def test_the_ten_questions_of_contributing_have_rows() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    questions = re.findall(rf"\]\({ANCHOR}\)\*\* ([^.]+?), are answered", text)[0].split(", ")
    assert len(questions) == 10
    assert set(questions) - {what for what, _, _ in rows()} == set()


def test_a_name_that_is_merely_used_is_no_definition() -> None:
    vector = ROOT / "layers" / "shared" / "monitory" / "features" / "vector.py"
    assert "build" in definitions(vector)
    assert "off_rule" not in definitions(vector)  # imported there
    assert "AlarmTopic" in definitions(ROOT / "template.yaml")
