"""Commands on the pages: what follows a verb or a program is something that it takes, in both languages."""

import json
import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.pages import FENCE, PAGES, ROOT, TRANSLATED, commands, parameters, text

_VALUE = r"(?:\"[^\"]*\"|'[^']*'|[^\s`]*)"
_MAKE = re.compile(rf"\bmake ([a-z][a-z0-9-]*)((?: [A-Z_]+={_VALUE})*)")
_VARIABLE = re.compile(r"\b([A-Z][A-Z_]+)=")
_PROGRAM = re.compile(r"python -m ((?:monitory_local|benchmarks|tests)[\w.]*)([^`\n]*)")


@cache
def variables(verb: str) -> frozenset[str]:
    """The variables that a verb's recipe uses, and those that its line of help names."""
    makefile = text("Makefile")
    rule = re.search(rf"^{verb}:.*\n(?:\t.*\n)*", makefile, re.MULTILINE)
    assert rule, verb
    recipe = rule[0]
    for name in set(re.findall(r"\$\((\w+)\)", recipe)):  # one level of what it is made of
        recipe += "".join(re.findall(rf"^{name} :?= .*", makefile, re.MULTILINE))
    used = re.findall(r"\$\(call flag,[\w-]+,(\w+)\)|\$\$?\(?(\w+)|\((?:if|or|and|filter 0,) ?\$\((\w+)", recipe)
    return frozenset(name for names in used for name in names if name.isupper())


def module(name: str) -> Path:
    """The file of a module, or its program's if it is a package."""
    base = ROOT / ("local" if name.startswith("monitory_local") else "") / name.replace(".", "/")
    return base / "__main__.py" if base.is_dir() else base.with_suffix(".py")


@pytest.mark.parametrize("page", PAGES)
def test_a_verb_takes_the_variables_that_it_is_given(page: str) -> None:
    wrong = [
        f"make {verb} {name}="
        for verb, arguments in _MAKE.findall(commands(page))
        for name in _VARIABLE.findall(arguments)
        if name not in variables(verb)
    ]
    assert wrong == []


def test_a_verb_takes_the_variables_that_its_help_names() -> None:
    verbs = re.findall(r"^([a-z][a-z0-9-]*):.*?## (.*)", text("Makefile"), re.MULTILINE)
    assert len(verbs) > 30
    wrong = [
        f"{verb} {name}=" for verb, about in verbs for name in _VARIABLE.findall(about) if name not in variables(verb)
    ]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES)
def test_a_program_exists_and_takes_the_options_that_it_is_given(page: str) -> None:
    for name, arguments in _PROGRAM.findall(commands(page)):
        source = module(name).read_text(encoding="utf-8")
        options = [option for option in re.findall(r"--[a-z][a-z-]*", arguments) if option != "--help"]
        assert [option for option in options if f'"{option}"' not in source] == [], name
        required = re.findall(r'add_argument\("(--[a-z-]+)"[^\n]*required=True', source)
        assert "--help" in arguments or set(required) - set(options) == set(), name


@pytest.mark.parametrize("page", PAGES)
def test_sam_is_given_functions_parameters_and_events_of_ours(page: str) -> None:
    shown = commands(page).replace("\\\n", " ")
    overrides = re.findall(r"--parameter-overrides((?: +\w+=\S+)+)", shown)
    assert {name for given in overrides for name in re.findall(r"(\w+)=", given)} - set(parameters()) == set()
    functions = re.findall(r"sam local invoke (\w+)", shown)
    assert [name for name in functions if f"\n  {name}:\n" not in text("template.yaml")] == []
    events = re.findall(r"\bevents/[\w-]+\.json", shown)
    assert [name for name in events if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("page", PAGES)
def test_routes_that_are_called_are_those_of_the_api(page: str) -> None:
    routes = [re.sub(r"\{[^}]+\}", "[^/?]+", path) for path in json.loads(text("docs/openapi.json"))["paths"]]
    called = re.findall(r"(?:127\.0\.0\.1:8000|<ApiUrl>)(/api/[^\s\"'?`]+)", commands(page))
    assert [path for path in called if not any(re.fullmatch(route, path) for route in routes)] == []


@pytest.mark.parametrize(("english", "korean"), TRANSLATED)
def test_both_languages_show_the_same_blocks_of_code(english: str, korean: str) -> None:
    def blocks(page: str) -> list[str]:
        """Without comments, which are translated."""
        return [re.sub(r"(^|  +)# .*", "", block, flags=re.MULTILINE) for block in FENCE.findall(text(page))]

    assert blocks(korean) == blocks(english)


def test_a_variable_that_a_verb_does_not_take_would_be_noticed() -> None:
    assert {"SEED", "MACHINES", "FOLDER"} <= variables("demo")
    assert "PORT" not in variables("demo")
    assert {"SCENARIO", "SEEDS", "VARIANT"} <= variables("bench-factory")
