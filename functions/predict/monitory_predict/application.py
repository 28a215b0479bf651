"""Builds the predict application from its settings."""

from fastapi import FastAPI

from monitory.settings import PredictSettings
from monitory_predict.api.routes import create_app
from monitory_predict.bootstrap import start
from monitory_predict.telemetry import Telemetry


def build_app(settings: PredictSettings, telemetry: Telemetry) -> FastAPI:
    """The application for the buckets that the settings name.

    Raises:
        SensorSetError: the sensor set cannot be used.
    """
    startup = start(settings)
    return create_app(startup.ready(), startup.log, telemetry)
