"""Write the API's OpenAPI document: `python -m monitory_local.openapi docs/openapi.json`."""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse

from monitory.settings import PredictSettings, from_environment
from monitory_local.terminal import run
from monitory_predict.api import document
from monitory_predict.application import build_app
from monitory_predict.telemetry import NoTelemetry

_ASSETS = "/docs-assets"
NO_STORE = {
    "AWS_ACCESS_KEY_ID": "-",
    "AWS_SECRET_ACCESS_KEY": "-",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "LOG_LEVEL": "ERROR",  # that there is no model is meant
}


def add_page(app: FastAPI) -> None:
    """Add the interactive page at /docs; it needs no network, for its assets come with the environment."""
    import fastapi_offline

    app.mount(_ASSETS, StaticFiles(directory=Path(fastapi_offline.__file__).parent / "static"))

    @app.get("/docs", include_in_schema=False)
    async def page() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=document.PATH,
            title=app.title,
            swagger_js_url=f"{_ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{_ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{_ASSETS}/favicon.png",
        )


def as_json() -> str:
    """The document as its file. It needs no store: the routes alone say what it holds."""
    os.environ.update(NO_STORE)
    app = build_app(from_environment(PredictSettings), NoTelemetry())
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


def main(argv: Sequence[str] | None = None) -> None:
    """Write the document."""
    parser = argparse.ArgumentParser(prog="python -m monitory_local.openapi", description=__doc__)
    parser.add_argument("file", type=Path, help="where to")
    parser.parse_args(argv).file.write_text(as_json(), encoding="utf-8")


if __name__ == "__main__":
    run(main)
