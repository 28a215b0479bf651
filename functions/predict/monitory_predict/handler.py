"""Entry point of the Lambda: the application behind a REST API, an HTTP API or a function URL."""

from monitory_predict.cold_start import fast_imports

with fast_imports():
    from monitory.settings import PredictSettings, from_environment
    from monitory_predict.bootstrap import start

    _settings = from_environment(PredictSettings)
    _startup = start(_settings)

    # the longer half of the imports, while the model loads
    from monitory_predict.api.gateway import lambda_handler_of
    from monitory_predict.api.routes import create_app
    from monitory_predict.telemetry import EmfTelemetry

    _telemetry = EmfTelemetry(_settings.powertools_metrics_namespace)
    lambda_handler = lambda_handler_of(create_app(_startup.ready(), _startup.log, _telemetry))
