"""The report page: what it says, that it stands alone, and that nothing from data becomes markup."""

import re
from collections import Counter
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from monitory.features.regimes import Regime, Regimes
from monitory_retrain import report
from monitory_retrain.report import facts
from tests.support import reports
from tests.support.page_reader import Reader

DESCRIPTION = re.compile(
    'role="img" aria-labelledby="([a-z]+-text)"><span class="unseen" id="\\1"><span lang="en">([^<]+)'
)
"""Of a drawing in English, with its id."""


@pytest.fixture(scope="module")
def page() -> bytes:
    return reports.page()


@pytest.fixture(scope="module")
def read(page: bytes) -> Reader:
    return Reader(page)


@pytest.fixture(scope="module")
def sparse() -> Reader:
    return Reader(report.render(reports.sparse()))


def test_the_same_findings_give_the_same_bytes(page: bytes) -> None:
    assert report.render(reports.findings()) == page


def test_it_is_light_enough_for_every_night(page: bytes) -> None:
    assert len(page) < 1_000_000


def test_it_refers_to_nothing_outside_of_itself(page: bytes, read: Reader) -> None:
    assert {tag for tag, _ in read.tags}.isdisjoint({"script", "img", "iframe", "object", "embed", "image"})
    for name in ("src", "href", "xlink:href", "srcset", "action", "data"):
        assert all(value.startswith(("#", "data:")) for value in read.attributes(name))
    assert all(target.startswith("#") for target in re.findall(rb"url\((.)", page) for target in [target.decode()])
    assert b"@import" not in page


def test_ids_are_unique_and_what_refers_to_them_finds_them(page: bytes, read: Reader) -> None:
    ids = Counter(read.attributes("id"))
    assert max(ids.values()) == 1
    used = set(read.attributes("aria-labelledby")) | {value[1:] for value in read.attributes("xlink:href")}
    used |= {found.decode() for found in re.findall(rb"url\(#([^)]+)\)", page)}
    assert used <= set(ids)


def test_the_verdict_and_its_reasons_come_first(read: Reader) -> None:
    found = reports.findings()
    reason = found.verdict.reasons[0]
    assert found.verdict.promote
    assert "Verdict: fit to be served" in read.text
    assert read.text.index(reason[1:]) < read.text.index("Champion against challenger")


def test_the_table_sets_the_model_beside_the_champion_and_the_rules() -> None:
    found = reports.findings()
    columns, rows = facts.comparison(found)
    assert [str(column) for column in columns] == ["this model", "champion", "training mean", "last-life baseline"]
    assert found.champion is not None
    assert rows[0].cells[0] == f"{found.challenger.scores.mae:.2f}"
    assert rows[0].cells[1] == f"{found.champion.scores.mae:.2f}"
    assert rows[0].cells[2] == f"{found.challenger.baselines.mean.mae:.2f}"
    assert rows[5].cells[2] == "–"


def test_operating_regimes_are_told_where_there_are_any(read: Reader) -> None:
    assert "operating regimes" not in read.text
    found = reports.findings()
    regimes = Regimes(("humidity",), (9.0,), 0.1, (), (Regime((90.0,), (), (), 4321), Regime((30.25,), (), (), 99)))
    page = report.render(replace(found, card=msgspec.structs.replace(found.card, regimes=regimes)))
    assert "2 operating regimes, distinguished by humidity" in Reader(page).text
    assert "90 4,321 30.25 99" in Reader(page).text


def test_what_people_act_on_comes_right_after_the_verdict(read: Reader) -> None:
    five, three = reports.findings().challenger.announcements
    assert f"Failures announced at D-5 {five.announced} of {five.failures}" in read.text
    assert f"Failures announced at D-3 {three.announced} of {three.failures}" in read.text
    assert "champion, D-3" in read.text
    assert "3 of its last 6 hours" in read.text
    assert f"Failures missed at D-5 {five.failures - five.announced}" in read.text
    assert f"False announcements at D-5 {five.false} of {five.raised}" in read.text
    order = (
        "Verdict",
        "Would it have warned?",
        "Failures announced",
        "Did it keep its word?",
        "Mean error",
        "Where was it",
    )
    assert sorted(order, key=read.text.index) == list(order)
    assert "Within 3 days: Brier score 0." in read.text


def test_what_predictions_came_to_is_told_by_time_announcement_and_version(read: Reader, sparse: Reader) -> None:
    text = " ".join(read.text.split())
    section = text[text.index("Did it keep its word?") :]
    assert "broken 62% of the intervals held what happened, 90% are promised" in section
    assert "mean absolute error, days 0.25 0.25 0.25 0.25" in section
    assert "predicted less true, days −0.12 −0.12 −0.12 −0.12" in section
    assert "failures announced 5 of 6 5 of 6" in section
    assert "2026/11/10/150102 1,234 1.50 62% 5 of 6 5 of 6 all 1,234" in section
    assert "Did it keep its word?" not in sparse.text


def test_every_figure_is_there_and_described(page: bytes, read: Reader) -> None:
    described = [text for _, text in DESCRIPTION.findall(page.decode())]
    beginnings = (
        "Predicted against",
        "Predicted and true",
        "Mean absolute",
        "Share of true",
        "Share of hours",
        "Importance",
        "Diff",
        "Hours",
    )
    assert len(described) == len(beginnings)
    assert all(any(text.startswith(begin) for text in described) for begin in beginnings)


def test_text_in_figures_is_text(read: Reader) -> None:
    assert "predicted RUL, days" in read.text
    assert "days before the failure" in read.text


def test_colours_are_the_pages_own(page: bytes) -> None:
    assert not re.findall(rb"#0101\d\d|#0102\d\d|#0103\d\d|#0104\d\d|#000000|#ffffff;[^-]*stroke", page)
    assert page.count(b"var(--main)") > 10


def test_errors_are_told_by_bins_of_true_rul() -> None:
    found = reports.findings()
    labels, models = facts.error_bins(found)
    holdout = found.challenger.split.holdout
    near = (holdout.rul > 1) & (holdout.rul <= 3) & (found.challenger.split.watched > 3)
    expected = float(np.abs(found.challenger.predicted - holdout.rul)[near].mean())
    assert labels[:2] == ["0–1", "1–3"]
    assert models[0][1][1] == pytest.approx(expected)
    assert [name for name, _ in models] == ["this model", "champion", "training mean"]


def test_lives_shown_end_in_a_failure_and_reach_from_the_best_to_the_worst() -> None:
    found = reports.findings()
    runs = facts.runs(found.challenger, found.card.cap_days)
    assert 2 <= len(runs) <= facts.RUNS
    assert "best of" in runs[0].title
    assert "worst of" in runs[-1].title
    for run in runs:
        assert run.true[-1] == 0
        assert run.before == pytest.approx(run.true)
        assert run.low is not None
        assert np.all(run.low <= run.predicted)


def test_importance_adds_up_over_sensors() -> None:
    gains = facts.importance(reports.challenger().trained.text, reports.SENSORS)
    assert sum(share for _, share in gains) == pytest.approx(1)
    assert gains[0][0] in {"vibration", "hours since failure"}


def test_a_day_without_data_and_a_machine_with_gaps_are_named(read: Reader) -> None:
    assert f"No machine has data on {reports.DAYS[3]}." in read.text
    assert "Most hours are missing of EQUIP-002" in read.text


def test_what_was_left_out_is_told_with_its_reason(read: Reader) -> None:
    assert "no failure followed: they teach that the machine runs at least so long" in read.text


def test_a_sensor_that_moved_is_told_in_words() -> None:
    found = reports.findings()
    moved = msgspec.structs.replace(found.drift.sensors[0], status="moved", sentence="vibration: median 3, 1 before")
    told = replace(found, drift=msgspec.structs.replace(found.drift, sensors=(moved, *found.drift.sensors[1:])))
    text = Reader(report.render(told)).text
    assert f"{moved.name} moved: check the sensors" in text
    assert "vibration: median 3, 1 before" in text


def test_sections_without_data_say_so(sparse: Reader) -> None:
    text = sparse.text
    assert "Not judged: the model's card keeps no distribution of its training data." in text
    assert "There were too few runs to failure to calibrate an interval." in text
    assert "No machine has data." in text
    assert "Failures announced at D-5 –" in text
    assert "No hour lies so long before the end of the data" in text
    assert "has no run to failure of a whole day" in text
    assert "No other model is served yet." in text
    assert "The request excludes promotion" in text


def test_nothing_that_comes_from_data_becomes_markup(read: Reader) -> None:
    hostile = Reader(report.render(reports.hostile()))
    assert {tag for tag, _ in hostile.tags} <= {tag for tag, _ in read.tags}
    assert not [name for _, attributes in hostile.tags for name in attributes if name.startswith("on")]
    assert '<script>alert("1")</script>' in hostile.text


def test_a_large_factory_shows_the_machines_with_the_most_gaps() -> None:
    many = reports.table(machines=6)
    found = reports.findings()
    completeness = replace(
        found.completeness,
        machines=[many.machines[n % 6]._replace(equip_id=f"M{n:03d}") for n in range(60)],
        hours=np.full((60, len(reports.DAYS)), 24, dtype=np.int64),
    )
    completeness.hours[57, 2] = 0
    text = Reader(report.render(replace(found, completeness=completeness))).text
    assert "The 40 machines with the most gaps; 20 more are not shown." in text
    assert "Most hours are missing of M057 (24)." in text
