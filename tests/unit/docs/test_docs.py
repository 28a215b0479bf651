"""The documentation keeps to the repository: links, verbs, settings, parameters, metrics, languages."""

import re
from collections import Counter

import pytest

from monitory import metric_names
from monitory.settings import PredictSettings, RetrainSettings, ScoreSettings, Settings
from tests.support.pages import (
    CODE,
    ELSEWHERE,
    LINK,
    PAGES,
    ROOT,
    TRANSLATED,
    VERB,
    anchors,
    commands,
    headings,
    parameters,
    prose,
    text,
    verbs,
)


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_to_a_file_and_every_anchor_to_a_heading(page: str) -> None:
    dead = []
    for target in LINK.findall(prose(page)):
        if ELSEWHERE.match(target):
            continue
        path, _, anchor = target.partition("#")
        file = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        inside = file.exists() and file.is_relative_to(ROOT)
        if not inside or (anchor and anchor not in anchors(file.relative_to(ROOT).as_posix())):
            dead.append(target)
    assert dead == []


@pytest.mark.parametrize("page", PAGES)
def test_every_named_verb_is_one_of_the_makefile(page: str) -> None:
    named = set(VERB.findall(commands(page)))
    assert named - verbs() == set()


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])  # its releases share headings
def test_no_heading_repeats_another_one_of_its_page(page: str) -> None:
    found = anchors(page)
    assert sorted(found) == sorted(set(found))


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), ["README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        for target in LINK.findall(prose(page)):
            file = ((ROOT / page).parent / target.partition("#")[0]).resolve()
            if file.suffix == ".md" and file.exists() and (name := file.relative_to(ROOT).as_posix()) not in reached:
                waiting.append(name)
    assert set(PAGES) - reached == set()


@pytest.mark.parametrize("page", ["README.md", "README.ko.md"])
def test_the_readme_is_short(page: str) -> None:
    assert len(text(page).splitlines()) <= 150
    assert len(text(page).split()) <= 1400


@pytest.mark.parametrize(("english", "korean"), TRANSLATED)
def test_both_languages_have_the_same_sections_commands_tables_and_pictures(english: str, korean: str) -> None:
    assert [level for level, _ in headings(korean)] == [level for level, _ in headings(english)]
    assert VERB.findall(commands(korean)) == VERB.findall(commands(english))
    for what in (r"^\|", r"^- ", r"!\[", r"^```"):
        assert len(re.findall(what, text(korean), re.MULTILINE)) == len(re.findall(what, text(english), re.MULTILINE))


@pytest.mark.parametrize(("english", "korean"), TRANSLATED)
def test_both_languages_state_the_same_figures_and_names(english: str, korean: str) -> None:
    def stated(page: str) -> tuple[Counter[str], set[str]]:
        """Figures of three digits or with decimals; what is shown as code, whatever its placeholders are called."""
        words = re.sub(LINK, "", prose(page))
        figures = re.findall(r"\d{1,3}(?:,\d{3})+|\d+\.\d+|\d{3,}", words)
        return Counter(figures), {re.sub("<[^>]*>", "<>", code) for code in CODE.findall(words)}

    assert stated(korean) == stated(english)


KINDS: tuple[type[Settings], ...] = (PredictSettings, ScoreSettings, RetrainSettings)


@pytest.mark.parametrize("name", sorted({name for kind in KINDS for name in kind.model_fields}))
def test_every_setting_and_its_default_are_in_the_reference(name: str) -> None:
    kind = next(kind for kind in KINDS if name in kind.model_fields)
    row = re.search(rf"^\| `{name.upper()}` \| ([^|]*) \|", text("docs/reference.md"), re.MULTILINE)
    assert row, f"{name.upper()} has no row among the settings"
    default = kind.model_fields[name].default
    if default is not None:
        expected = (
            f"{default:g}" if isinstance(default, int | float) and not isinstance(default, bool) else str(default)
        )
        assert row[1].lower().startswith(expected.lower())


@pytest.mark.parametrize("name", parameters())
def test_every_template_parameter_is_in_the_reference(name: str) -> None:
    assert f"`{name}`" in text("docs/reference.md")


@pytest.mark.parametrize("name", sorted(re.findall(r"^  (\w+):$", text("template.yaml").split("\nOutputs:")[1], re.M)))
def test_every_stack_output_is_in_the_reference(name: str) -> None:
    assert f"`{name}`" in text("docs/reference.md")


@pytest.mark.parametrize("page", ["docs/operate.md", "docs/ko/operate.md"])
def test_every_alarm_says_what_to_do(page: str) -> None:
    alarms = re.findall(
        r"^  (\w+):\n(?:    Condition: \w+\n)?    Type: AWS::CloudWatch::Alarm$", text("template.yaml"), re.M
    )
    assert alarms
    assert [alarm for alarm in alarms if not re.search(rf"^\| [^|]*`{alarm}`", text(page), re.MULTILINE)] == []


@pytest.mark.parametrize("name", sorted(value for key, value in vars(metric_names).items() if key.isupper()))
def test_every_metric_is_in_the_reference(name: str) -> None:
    assert name in text("docs/reference.md")


def test_the_test_would_notice_a_dead_anchor() -> None:
    assert "two-commands" in anchors("README.md")
    assert "where-do-i-change" in anchors("docs/architecture.md")
    assert "aws에서-실행하지-않은-것" in anchors("docs/ko/operate.md")
    assert "three-commands" not in anchors("README.md")
