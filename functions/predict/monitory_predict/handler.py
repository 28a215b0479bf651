"""Where Lambda enters: the application behind API Gateway, REST and HTTP API alike."""

from monitory_predict.cold_start import quick_start

with quick_start():
    from monitory.settings import PredictSettings, load
    from monitory_predict.bootstrap import start

    _settings = load(PredictSettings)
    _starting = start(_settings)

    # the longer half of the imports, while the model is being loaded
    from mangum import Mangum

    from monitory_predict.api.routes import create_app
    from monitory_predict.telemetry import EmfTelemetry

    _telemetry = EmfTelemetry(_settings.powertools_metrics_namespace)
    # "off": with "auto" start-up and shut-down would run at every call.
    lambda_handler = Mangum(create_app(_starting.ready(), _starting.log, _telemetry), lifespan="off")
