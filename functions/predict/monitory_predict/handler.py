"""Entry point of the Lambda, behind a REST API, an HTTP API or a function URL."""

from monitory_predict.cold_start import fast_imports

with fast_imports():
    from monitory.settings import PredictSettings, from_environment
    from monitory_predict.bootstrap import start
    from monitory_predict.function import function_handler
    from monitory_predict.telemetry import EmfTelemetry

    _settings = from_environment(PredictSettings)
    _startup = start(_settings)
    _telemetry = EmfTelemetry(_settings.powertools_metrics_namespace)
    lambda_handler = function_handler(_startup.ready(), _startup.log, _telemetry)
