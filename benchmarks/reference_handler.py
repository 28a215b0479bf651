"""The reference as a Lambda function, for `benchmarks.cold_start`: the handler file that goes into its artifact.

It reads a machine's history anew: keeping it as Parquet would take pyarrow, which doesn't fit into a zip beside pandas.
"""

import os

from fastapi import FastAPI
from mangum import Mangum

from benchmarks.reference import Predictor

_predictor = Predictor(
    os.environ["S3_INPUT_DATA_BUCKET_NAME"], os.environ["S3_MODEL_BUCKET_NAME"], os.environ["S3_MODEL_KEY"]
)
_app = FastAPI()


@_app.get("/api/v1/predict")
def predict(zoneId: str, equipId: str) -> dict[str, object]:  # noqa: N803 -- the contract's names
    """The RUL of a machine in days."""
    return {"status": "ok", "predictions": [_predictor.predict(zoneId, equipId, reread=True)]}


lambda_handler = Mangum(_app, lifespan="off")
