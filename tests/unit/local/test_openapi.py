"""The OpenAPI document of the repository is the API's, and its page needs no network."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from monitory_local import openapi

ROOT = Path(__file__).resolve().parents[3]


def test_the_document_in_the_repository_is_the_applications(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in openapi.NO_STORE:
        monkeypatch.setenv(name, "")  # what the program sets ends with the test
    stored = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert stored == openapi.as_json(), "the API has changed: `make openapi` writes the document"


def test_the_page_and_all_that_it_loads_come_from_the_server() -> None:
    pytest.importorskip("fastapi_offline", reason="make env installs it")
    app = FastAPI(docs_url=None)
    openapi.add_page(app)
    client = TestClient(app)
    page = client.get("/docs").text
    loads = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(loads) == 3
    assert [client.get(load).status_code for load in loads] == [200, 200, 200]
    assert all(load.startswith("/docs-assets/") for load in loads)
    assert "http" not in page.replace("http-equiv", "")
