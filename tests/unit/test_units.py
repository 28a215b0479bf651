"""Unit tests stand alone: what they import is theirs, whatever other suites need."""

import ast
from functools import cache
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
FOREIGN = ("artifact", "browser", "deploy", "faults", "fuzz", "integration", "template")
ELSEWHERE = {
    "tests.support.any_verb",
    "tests.support.aws_store",
    "tests.support.image",
    "tests.support.lakes",
    "tests.support.largest",
    "tests.support.mortal",
    "tests.support.processes",
    "tests.support.proxy",
    "tests.support.proxy_faults",
    "tests.support.world",
}
"""Helpers of other suites: real servers, other processes, faults."""


@cache
def imports(file: Path) -> set[str]:
    """The modules of tests that a file imports."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tests"):
            modules |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Import):
            modules |= {name.name for name in node.names if name.name.startswith("tests")}
    return modules


def closure(file: Path) -> set[str]:
    """What a file imports, and what that imports in turn."""
    modules: set[str] = set()
    files = [file]
    for each in files:
        for module in imports(each) - modules:
            modules.add(module)
            path = TESTS.parent / f"{module.replace('.', '/')}.py"
            if path.is_file():
                files.append(path)
    return modules


def test_units_import_no_helper_of_another_suite() -> None:
    units = sorted((TESTS / "unit").rglob("*.py"))
    reach = {str(file.relative_to(TESTS)): closure(file) for file in units}
    assert any("tests.support.fakes" in modules for modules in reach.values())
    suites = tuple(f"tests.{suite}" for suite in FOREIGN)
    strays = {
        f"{file}: {module}"
        for file, modules in reach.items()
        for module in modules
        if module in ELSEWHERE or module.startswith(suites)
    }
    assert not strays
    assert {module for module in ELSEWHERE if not (TESTS.parent / f"{module.replace('.', '/')}.py").is_file()} == set()
