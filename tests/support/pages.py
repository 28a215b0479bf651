"""The pages of the documentation, and what is read out of them."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
TRANSLATED = [
    ("README.md", "README.ko.md"),
    ("docs/start.md", "docs/ko/start.md"),
    ("docs/operate.md", "docs/ko/operate.md"),
]

FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^(#+) +(.+?) *$", re.MULTILINE)
VERB = re.compile(r"\bmake ([a-z][a-z0-9-]*)")
ELSEWHERE = re.compile(r"[a-z]+:")


@cache
def text(page: str) -> str:
    """A file of the repository."""
    return (ROOT / page).read_text(encoding="utf-8")


@cache
def prose(page: str) -> str:
    """A page without its code blocks."""
    return FENCE.sub("", text(page))


def commands(page: str) -> str:
    """What a page shows as code, in blocks and in lines."""
    return "\n".join([*FENCE.findall(text(page)), *CODE.findall(prose(page))])


def headings(page: str) -> list[tuple[int, str]]:
    """Levels and titles."""
    return [(len(marks), title) for marks, title in _HEADING.findall(prose(page))]


def anchors(page: str) -> list[str]:
    """The anchors that GitHub gives a page's headings.

    Links and emphasis leave their words, punctuation goes, spaces become dashes.
    """
    titles = (re.sub(r"\[([^]]*)\]\([^)]*\)|[*`]", r"\1", title).lower() for _, title in headings(page))
    return [re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles]


def section(page: str, title: str) -> str:
    """What stands below a heading, up to the next one of any level."""
    return re.split(r"\n#+ ", text(page).partition(f"## {title}\n")[2])[0]


def verbs() -> set[str]:
    """The verbs of the Makefile."""
    return set(re.findall(r"^([a-z][a-z0-9-]*):", text("Makefile"), re.MULTILINE))


def parameters() -> list[str]:
    """The parameters of the template."""
    template = text("template.yaml")
    block = re.search(r"^Parameters:\n(.*?)^\S", template, re.MULTILINE | re.DOTALL)
    assert block
    return re.findall(r"^  (\w+):$", block[1], re.MULTILINE)
