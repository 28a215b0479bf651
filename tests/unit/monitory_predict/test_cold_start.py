import gc

import pytest
from pydantic import BaseModel, ValidationError

from monitory_predict.cold_start import fast_imports


def test_a_model_declared_meanwhile_checks_as_any_other() -> None:
    with fast_imports():

        class Declared(BaseModel):
            days: float

    assert Declared.model_validate({"days": "1.5"}).days == 1.5
    with pytest.raises(ValidationError):
        Declared.model_validate({"days": "soon"})


def test_nothing_of_it_stays_when_an_import_fails() -> None:
    before = dict(BaseModel.model_config)
    with pytest.raises(ZeroDivisionError), fast_imports():
        raise ZeroDivisionError
    assert gc.isenabled()
    assert BaseModel.model_config == before
