"""The Lambda function: plain predictions first, the application for everything else."""

from functools import cache
from typing import Any

from monitory.log import Logger
from monitory_predict.cold_start import fast_imports
from monitory_predict.plain import predict
from monitory_predict.plain.predictions import Predictions
from monitory_predict.plain.wire import Handler
from monitory_predict.service import PredictService
from monitory_predict.telemetry import Telemetry


def function_handler(service: PredictService, log: Logger, telemetry: Telemetry) -> Handler:
    """The Lambda handler of a service; the web framework is imported by the first request that needs it."""
    predictions = Predictions(service, log, telemetry)

    @cache
    def application() -> Handler:
        with fast_imports():
            from monitory_predict.api.gateway import lambda_handler_of
            from monitory_predict.api.routes import create_app

            return lambda_handler_of(create_app(service, log, telemetry))

    def handle(event: Any, context: Any) -> dict[str, Any]:
        question = predict.question_in(event)
        answer = predict.answer(question, predictions, log) if question else None
        return answer or application()(event, context)

    return handle
