"""Headers of model texts: regressions pass, everything else is named as what it is."""

import gzip
import json
import pickle

import lightgbm as lgb
import numpy as np
import pytest

from monitory.errors import BrokenModel
from monitory.features import vector
from monitory.model import header, untrusted
from monitory.model.model import Model
from tests.support.models import SENSORS, card, frame, small_text, text, train

DATA = frame(vector.names(SENSORS)[:3], rows=200)
RNG = np.random.default_rng(0)
DAYS = RNG.uniform(0.5, 30, len(DATA))
LABELS = {
    "binary": (DAYS > 15).astype(int),
    "cross_entropy": DAYS / 40,
    "cross_entropy_lambda": DAYS / 40,
    "lambdarank": (DAYS // 10).astype(int),
    "rank_xendcg": (DAYS // 10).astype(int),
    "multiclass": (DAYS // 10).astype(int).clip(0, 2),
    "multiclassova": (DAYS // 10).astype(int).clip(0, 2),
}


def trained(objective: object, **parameters: object) -> bytes:
    name = str(objective)
    groups = [20] * 10 if "rank" in name else None
    classes = {"num_class": 3} if name.startswith("multiclass") else {}
    settings = {"objective": objective, "verbosity": -1, "num_threads": 1, **classes, **parameters}
    return text(lgb.train(settings, lgb.Dataset(DATA, LABELS.get(name, DAYS), group=groups), 2))


@pytest.mark.parametrize("objective", sorted(header.REGRESSIONS))
def test_each_regression_of_lightgbm_is_read(objective: str) -> None:
    assert header.read(trained(objective)) == (tuple(DATA.columns), objective)


@pytest.mark.parametrize("others", [{"reg_sqrt": True}, {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}])
def test_options_of_a_regression_make_it_no_other_kind(others: dict[str, object]) -> None:
    assert header.read(trained("regression", **others)).objective == "regression"


def test_a_loss_of_the_trainer_s_own_is_accepted() -> None:
    body = trained(lambda predicted, data: (predicted - data.get_label(), np.ones(len(predicted))))
    assert b"\nobjective=" not in body
    assert header.read(body).objective == "custom"
    assert header.read(body[: body.index(b"\nparameters:")]).objective == ""


@pytest.mark.parametrize("objective", LABELS)
@pytest.mark.parametrize("own", [False, True], ids=["foreign", "with a card"])
def test_a_model_that_answers_no_days_is_refused_by_its_objective(objective: str, own: bool) -> None:
    body = trained(objective)
    known = card(features=tuple(DATA.columns)) if own else None
    with pytest.raises(BrokenModel, match=f"objective is '{objective}', so its answer is no number of days"):
        Model(body, known, feature_names=tuple(DATA.columns), cap_days=30.0)


def test_an_objective_that_is_missing_in_the_header_is_looked_up_in_the_parameters() -> None:
    body = trained("binary")
    start = body.index(b"\nobjective=")
    with pytest.raises(BrokenModel, match="objective is 'binary'"):
        header.read(body[:start] + body[body.index(b"\n", start + 1) :])


@pytest.mark.parametrize("value", [b" binary", b"regression_l3", b"Regression"])
def test_an_objective_that_is_spelt_otherwise_is_no_regression(value: bytes) -> None:
    with pytest.raises(BrokenModel, match="objective is"):
        header.read(small_text().replace(b"objective=regression", b"objective=" + value))


def test_several_outputs_are_refused_whatever_the_objective() -> None:
    with pytest.raises(BrokenModel, match=r"3 outputs \(num_class\)"):
        header.read(small_text().replace(b"num_class=1", b"num_class=3"))


FORMATS = {
    "gzip": (gzip.compress(small_text()), "compressed with gzip: store it unpacked"),
    "dump_model": (json.dumps(train(DATA).dump_model()).encode(), r"is JSON, as dump_model\(\) writes it"),
    "pickle": (pickle.dumps(small_text()), "is a pickle, which is never opened"),
    "zip": (b"PK\x03\x04" + bytes(30), "is a zip archive"),
    "CRLF": (small_text().replace(b"\n", b"\r\n"), "has CRLF line ends"),
    "byte order mark": (b"\xef\xbb\xbf" + small_text(), "byte order mark"),
    "UTF-16": (small_text().decode().encode("utf-16"), "is UTF-16 text"),
    "HTML": (b"<!doctype html>", "whose first line is 'tree'"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_another_format_is_named_with_what_to_do(name: str) -> None:
    body, reason = FORMATS[name]
    with pytest.raises(BrokenModel, match=f"not a LightGBM model text.*{reason}"):
        header.read(body)


def test_linear_trees_are_named() -> None:
    with pytest.raises(BrokenModel, match=r"has linear trees.*train it with linear_tree=false"):
        untrusted.check(trained("regression", linear_tree=True))


def test_single_cr_line_ends_are_named() -> None:
    with pytest.raises(BrokenModel, match="CR line ends"):
        untrusted.check(small_text().replace(b"\nsplit_gain", b"\rsplit_gain"))
