"""Settings: environment variables, typed, validated when a function starts."""

import os
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from monitory import metric_names
from monitory.errors import SettingsError

Name = Annotated[str, Field(min_length=1)]
T = TypeVar("T", bound="Settings")


class Settings(BaseModel):
    """Settings of all functions. Field names are the variables' names in lower case."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=(), str_strip_whitespace=True)

    aws_region: Name = "ap-northeast-2"
    s3_model_bucket_name: Name = "monitory-model"
    s3_model_key: Name = "models/latest/lgbm_regressor.json"
    s3_input_data_bucket_name: Name = "monitory-bucket"
    s3_input_data_region: str = ""
    s3_input_data_key: Name = "EQUIPMENT/"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    log_format: Literal["TEXT", "JSON"] = "JSON"
    log_emoji: bool = False
    powertools_metrics_namespace: Name = metric_names.NAMESPACE
    sensors_file: str | None = None
    lake_file: str | None = None
    factory_time_zone: str | None = None
    max_rul_days: Annotated[float, Field(gt=0, le=3650)] = 30.0

    @field_validator("*")
    @classmethod
    def _is_no_address(cls, value: object) -> object:
        """Refuse an s3:// address: buckets and keys are settings of their own."""
        if isinstance(value, str) and "://" in value:
            bucket, _, key = value.partition("://")[2].partition("/")
            raise ValueError(f"bucket and key are two settings, the bucket {bucket!r} and the key {key!r}")
        return value

    @property
    def lake_region(self) -> str:
        """The region of the sensor lake: that of the function unless the environment names another."""
        return self.s3_input_data_region or self.aws_region


class ServingSettings(Settings):
    """Settings of the functions that predict."""

    max_data_age_hours: Annotated[float, Field(gt=0, le=720)] = 3.0
    planned_stop_cost: Annotated[float, Field(ge=0)] = 0.0
    unplanned_stop_cost: Annotated[float, Field(ge=0)] = 0.0


class PredictSettings(ServingSettings):
    """Settings of the predict function."""

    scoring: bool = False
    operator_key_ids: str = ""

    @property
    def operators(self) -> frozenset[str]:
        """The ids of the API keys that may write records."""
        return frozenset(filter(None, (name.strip() for name in self.operator_key_ids.split(","))))


class ScoreSettings(ServingSettings):
    """Settings of the score function."""

    alert_level1_days: Annotated[float, Field(gt=0, le=3650)] = 5.0
    alert_level2_days: Annotated[float, Field(gt=0, le=3650)] = 3.0
    alert_enough_hours: Annotated[int, Field(ge=1, le=24)] = 3
    alert_recent_hours: Annotated[int, Field(ge=1, le=24)] = 6
    alert_margin_days: Annotated[float, Field(ge=0, le=365)] = 1.0
    alert_silent_hours: Annotated[int, Field(ge=0, le=720)] = 6
    alert_language: Literal["en", "ko"] = "en"
    alert_topic_arn: str = ""
    event_bus_name: str = ""

    @model_validator(mode="after")
    def _alerts_make_sense(self) -> "ScoreSettings":
        if self.alert_level2_days > self.alert_level1_days:
            raise ValueError("ALERT_LEVEL2_DAYS must not be above ALERT_LEVEL1_DAYS: level 2 is the more urgent one")
        if self.alert_enough_hours > self.alert_recent_hours:
            raise ValueError("ALERT_ENOUGH_HOURS must not be above ALERT_RECENT_HOURS: so many of so many hours")
        return self


class RetrainSettings(Settings):
    """Settings of the retrain function."""

    failure_log_key: str | None = None
    training_days: Annotated[int, Field(ge=1, le=400)] = 21
    history_days: Annotated[int, Field(ge=1, le=400)] = 180
    min_readings: Annotated[int, Field(ge=0)] = 50_000
    min_days: Annotated[int, Field(ge=1)] = 7
    min_machines: Annotated[int, Field(ge=1)] = 2
    min_failures: Annotated[int, Field(ge=1)] = 5
    excursion_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    excursion_sensors: Annotated[int, Field(ge=1)] = 1
    coverage: Annotated[float, Field(gt=0, lt=1)] = 0.9
    verify_one_in: Annotated[int, Field(ge=0)] = 200
    promotion_margin: Annotated[float, Field(ge=0, lt=1)] = 0.02


def from_environment(kind: type[T], **instead: object) -> T:
    """The settings in the environment variables, or those of `instead`.

    Raises:
        SettingsError: a variable has an invalid value; the message names each.
    """
    # a library for this imports asyncio, a sixth of what a function imports when it starts
    found = {name: value for name in kind.model_fields if (value := os.environ.get(name.upper())) is not None}
    try:
        return kind.model_validate(found | instead)
    except ValidationError as exc:
        faults = [
            f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg'].removeprefix('Value error, ')} (got {e['input']!r})"
            for e in exc.errors()
        ]
        raise SettingsError("environment: " + "; ".join(faults)) from exc
