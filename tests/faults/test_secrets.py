"""What must not leave the service: no key, no reading and no inside of an error in logs, metrics and answers."""

import re
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from monitory import clock
from monitory.settings import PredictSettings
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import SECRET_KEY
from monitory_predict import application
from monitory_predict.telemetry import EmfTelemetry
from monitory_retrain import bootstrap as retraining
from tests.faults.conftest import Ledger
from tests.support.proxy import Proxy
from tests.support.proxy_faults import forbidden
from tests.support.retraining import DAYS, challenger, learns, nightly, run, settings
from tests.support.samples import MACHINE, hour_of_readings, lake_key, ndjson
from tests.support.world import REGION, World, fill_days

READING = 71.98765
SENSOR_ID = "UA10T-temp"
SECRETS = (str(READING), SENSOR_ID, SECRET_KEY, "AWS4-HMAC", "Signature=", "Credential=")


def _odd_object() -> bytes:
    """Readings that can be told by their values, and lines that cannot be read."""
    start = clock.now().replace(tzinfo=None, minute=0, second=0, microsecond=0) - timedelta(hours=1)
    readings = hour_of_readings(start, value=lambda number: READING)
    return ndjson(readings) + b'{"zoneId":"ZONE-001","val":"71.98765"}\n' + b"71.98765 UA10T-temp\n"


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_predict_tells_no_reading_and_no_key(
    level: str, world: World, proxy: Proxy, capfd: pytest.CaptureFixture[str], ledger: Ledger
) -> None:
    start = clock.now() - timedelta(hours=1)
    world.lake.put(lake_key(start.date(), "odd"), _odd_object(), content_type="application/x-ndjson")
    made = PredictSettings(
        s3_model_bucket_name=world.models.name,
        s3_input_data_bucket_name=world.lake.name,
        log_level=level,
    )
    client = TestClient(application.build_app(made, EmfTelemetry()), raise_server_exceptions=False)
    named = {"zoneId": MACHINE.zone_id, "equipId": MACHINE.equip_id}
    bodies = [client.get("/api/v1/predict", params=named).text]
    with proxy.failing(forbidden):
        bodies.append(client.get("/api/v1/predict", params=named).text)
        bodies.append(client.get("/api/v1/models").text)
    bodies.append(client.get("/api/v1/predict", params={"zoneId": "<script>", "equipId": "x"}).text)
    told = "".join(capfd.readouterr())
    found = [secret for secret in SECRETS if secret in told] + [s for s in SECRETS if s in "".join(bodies)]
    ledger.note("predict", f"secrets in logs at {level}", "nothing", lost=len(found))
    assert "StorageUnavailable" in told
    assert found == []
    assert not re.search(r"Traceback|File \"", "".join(bodies))


def test_retrain_tells_no_reading_and_no_key(
    lake_bucket: str,
    model_bucket: str,
    proxy: Proxy,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    ledger: Ledger,
) -> None:
    lake = S3Storage(lake_bucket, region=REGION)
    fill_days(lake, DAYS[0], len(DAYS))
    lake.put(lake_key(DAYS[0], "odd"), _odd_object(), content_type="application/x-ndjson")
    job = retraining.build_job(settings(lake_bucket, model_bucket).model_copy(update={"log_level": "DEBUG"}))
    learns(monkeypatch, challenger())
    answer = run(job, nightly())
    assert answer["promoted"]
    with proxy.failing(forbidden), pytest.raises(Exception, match="s3://") as raised:
        run(job, nightly("another"))
    told = "".join(capfd.readouterr())
    answered = str(answer) + str(raised.value)
    found = [secret for secret in SECRETS if secret in told or secret in answered]
    ledger.note("retrain", "secrets in logs at DEBUG", "nothing", lost=len(found))
    assert answer["version"] in told
    assert "RetrainFailed" in told
    assert found == []


def test_answers_carry_their_headers(world: World) -> None:
    client = world.app()
    for path in ("/api/v1/health", "/api/v1/predict", "/nowhere"):
        headers = client.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
