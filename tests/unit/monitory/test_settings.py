"""Settings: the contract's defaults, and errors that name the variable."""

import pytest

from monitory.errors import SettingsError
from monitory.settings import PredictSettings, RetrainSettings, Settings, from_environment


def test_the_defaults_are_the_contract_s() -> None:
    settings = from_environment(Settings)
    assert settings.aws_region == "ap-northeast-2"
    assert settings.s3_model_bucket_name == "monitory-model"
    assert settings.s3_model_key == "models/latest/lgbm_regressor.json"
    assert settings.s3_input_data_bucket_name == "monitory-bucket"
    assert settings.s3_input_data_key == "EQUIPMENT/"
    assert settings.max_rul_days == 30
    assert (settings.log_level, settings.log_emoji) == ("INFO", False)


def test_the_functions_defaults() -> None:
    assert from_environment(PredictSettings).max_data_age_hours == 3
    retrain = from_environment(RetrainSettings)
    assert (retrain.training_days, retrain.min_readings, retrain.coverage) == (21, 50_000, 0.9)
    assert retrain.history_days == 180


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_REGION": "eu-central-1",
        "S3_MODEL_BUCKET_NAME": " my-models ",
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": "TEXT",
        "LOG_EMOJI": "true",
        "MAX_DATA_AGE_HOURS": "0.5",
        "SOMETHING_ELSE": "x",
    }.items():
        monkeypatch.setenv(name, value)
    settings = from_environment(PredictSettings)
    assert (settings.aws_region, settings.s3_model_bucket_name) == ("eu-central-1", "my-models")
    assert (settings.log_level, settings.log_format, settings.log_emoji) == ("DEBUG", "TEXT", True)
    assert settings.max_data_age_hours == 0.5


@pytest.mark.parametrize("name", ["SENSORS_FILE", "FAILURE_LOG_KEY"])
def test_an_empty_optional_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "")
    assert not getattr(from_environment(RetrainSettings), name.lower())


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (Settings, "AWS_REGION", ""),
        (Settings, "S3_MODEL_BUCKET_NAME", ""),
        (Settings, "S3_MODEL_BUCKET_NAME", "   "),
        (Settings, "S3_MODEL_KEY", ""),
        (Settings, "S3_INPUT_DATA_BUCKET_NAME", ""),
        (Settings, "S3_INPUT_DATA_KEY", ""),
        (Settings, "LOG_LEVEL", "LOUD"),
        (Settings, "LOG_FORMAT", "XML"),
        (Settings, "LOG_EMOJI", "maybe"),
        (Settings, "MAX_RUL_DAYS", "0"),
        (Settings, "MAX_RUL_DAYS", "-1"),
        (Settings, "MAX_RUL_DAYS", "many"),
        (Settings, "MAX_RUL_DAYS", "nan"),
        (Settings, "MAX_RUL_DAYS", "inf"),
        (PredictSettings, "MAX_DATA_AGE_HOURS", "0"),
        (PredictSettings, "MAX_DATA_AGE_HOURS", "nan"),
        (PredictSettings, "MAX_DATA_AGE_HOURS", "inf"),
        (PredictSettings, "MAX_DATA_AGE_HOURS", "1e12"),
        (RetrainSettings, "TRAINING_DAYS", "0"),
        (RetrainSettings, "TRAINING_DAYS", "2.5"),
        (RetrainSettings, "MIN_READINGS", "-1"),
        (RetrainSettings, "MIN_FAILURES", "0"),
        (RetrainSettings, "EXCURSION_SHARE", "1.5"),
        (RetrainSettings, "COVERAGE", "1"),
        (RetrainSettings, "PROMOTION_MARGIN", "nan"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, kind: type[Settings], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=rf"environment: {name}: "):
        from_environment(kind)


@pytest.mark.parametrize("name", ["S3_INPUT_DATA_KEY", "S3_MODEL_KEY", "S3_INPUT_DATA_BUCKET_NAME", "FAILURE_LOG_KEY"])
def test_an_address_is_refused_with_its_two_parts(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "s3://b/EQUIPMENT/")
    with pytest.raises(
        SettingsError, match=rf"{name}: bucket and key are two settings, the bucket 'b' and the key 'EQ"
    ):
        from_environment(RetrainSettings)


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    monkeypatch.setenv("LOG_FORMAT", "XML")
    with pytest.raises(SettingsError, match=r"LOG_LEVEL: .*'LOUD'.*; LOG_FORMAT: .*'XML'"):
        from_environment(Settings)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        from_environment(Settings).log_level = "DEBUG"  # type: ignore[misc]
