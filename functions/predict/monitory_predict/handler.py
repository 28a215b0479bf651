"""Where Lambda enters: the application behind API Gateway, REST and HTTP API alike."""

from mangum import Mangum

from monitory.settings import PredictSettings, load
from monitory_predict.telemetry import EmfTelemetry
from monitory_predict.wiring import build_app

_settings = load(PredictSettings)
# "off": with "auto" start-up and shut-down would run at every call.
lambda_handler = Mangum(build_app(_settings, EmfTelemetry(_settings.powertools_metrics_namespace)), lifespan="off")
