"""The page's files: behind every gateway and base path, with a policy, an ETag and nothing else of the disk."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from monitory_predict.api.gateway import lambda_handler_of
from monitory_predict.api.middleware import BasePath, HeadAsGet, SecurityHeaders
from monitory_predict.api.page_files import FOLDER, MEDIA_TYPES, PageFiles, add_page
from tests.support.gateways import Event, function_url_event, http_event, rest_event
from tests.support.predicting import event_loop

Handler = Callable[[Event, Any], dict[str, Any]]


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    for middleware in (HeadAsGet, BasePath, SecurityHeaders):
        app.add_middleware(middleware)
    add_page(app)
    return app


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app)


@pytest.fixture
def handler(app: FastAPI) -> Handler:
    return lambda_handler_of(app)


def without_slash(event: Event) -> Event:
    """As a caller's address lacks the slash after the stage or the base path."""
    event["requestContext"]["path"] = event["requestContext"]["path"].rstrip("/")
    event["path"] = event["path"].rstrip("/") or "/"
    return event


@pytest.mark.parametrize(
    ("event", "base"),
    [
        (rest_event("/"), "/prod/"),
        (without_slash(rest_event("/")), "/prod/"),
        (rest_event("/", base_path="/machines"), "/machines/"),
        (without_slash(rest_event("/", base_path="/machines")), "/machines/"),
        (http_event("/"), "/"),
        (http_event("/", base_path="/prod"), "/prod/"),
        (http_event("", base_path="/prod"), "/prod/"),
        (function_url_event("/"), "/"),
    ],
    ids=["stage", "stage, no slash", "domain", "domain, no slash", "HTTP API", "its stage", "no slash", "function URL"],
)
def test_the_page_is_answered_with_the_base_of_its_files(handler: Handler, event: Event, base: str) -> None:
    with event_loop():
        answer = handler(event, None)
    assert answer["statusCode"] == 200
    assert not answer["isBase64Encoded"]
    assert f'<base href="{base}">' in answer["body"]
    assert answer["headers"]["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "event",
    [
        rest_event("/page/app.js"),
        rest_event("/page/app.js", base_path="/machines"),
        rest_event("/page/app.js", base_path="/page"),
        http_event("/page/app.js", base_path="/prod"),
        function_url_event("/page/app.js"),
    ],
)
def test_a_file_is_answered_as_text_below_every_base_path(handler: Handler, event: Event) -> None:
    with event_loop():
        answer = handler(event, None)
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, False)
    assert answer["body"] == (FOLDER / "app.js").read_text(encoding="utf-8")
    assert answer["headers"]["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("path", ['//evil.example/"><script>', "//evil.example", "/a b", "/<b>"])
def test_an_odd_path_of_an_event_does_not_become_the_base(handler: Handler, path: str) -> None:
    event = rest_event("/")
    event["requestContext"]["path"] = path
    with event_loop():
        body = handler(event, None)["body"]
    assert '<base href="./">' in body
    assert "evil" not in body


@pytest.mark.parametrize(
    "name",
    ["../handler.py", "..%2Fhandler.py", "%2e%2e/handler.py", "app.js/", "", "no.js", "INDEX.HTML", "app.js%00"],
)
def test_there_is_no_way_to_other_files(client: TestClient, name: str) -> None:
    assert client.get(f"/page/{name}").status_code == 404


def test_every_file_of_the_folder_is_served_and_of_a_type_that_gateways_hand_on_as_text(client: TestClient) -> None:
    names = [path.name for path in FOLDER.iterdir() if path.is_file()]
    assert {Path(name).suffix for name in names} <= set(MEDIA_TYPES)
    for name in names:
        assert client.get(f"/page/{name}").content == (FOLDER / name).read_bytes()


def test_a_page_that_a_browser_has_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/page/app.js")
    etag = first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache"
    for wanted in (etag, f"W/{etag}", f'"other", {etag}'):
        again = client.get("/page/app.js", headers={"if-none-match": wanted})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert client.get("/page/app.js", headers={"if-none-match": '"other"'}).status_code == 200
    assert client.get("/").headers["etag"] != etag


def test_head_answers_without_a_body(client: TestClient) -> None:
    for path in ("/", "/page/style.css"):
        answer = client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["etag"]


def directives(answer: httpx2.Response) -> dict[str, list[str]]:
    parts = [part.split() for part in answer.headers["content-security-policy"].split(";")]
    return {name: values for name, *values in parts}


def test_the_policy_lets_the_page_load_and_ask_nothing_but_its_own(client: TestClient) -> None:
    policy = directives(client.get("/"))
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == ["'self'"]
    assert policy["frame-ancestors"] == policy["form-action"] == ["'none'"]
    report = directives(client.get("/page/report.html"))
    assert report["script-src"] == ["'self'"]
    assert "'unsafe-inline'" in report["style-src"]
    assert client.get("/").headers["referrer-policy"] == "no-referrer"
    assert client.get("/").headers["x-content-type-options"] == "nosniff"


def test_the_files_have_no_inline_scripts_and_styles_and_preload_every_module() -> None:
    index = (FOLDER / "index.html").read_text(encoding="utf-8")
    for text in (index, (FOLDER / "report.html").read_text(encoding="utf-8")):
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)
    of_the_report = {"report.js"}
    modules = {path.name for path in FOLDER.glob("*.js")} - of_the_report
    assert set(re.findall(r'"page/(\w+\.js)"', index)) == modules
    # markup out of data: there is no door for it
    code = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.js"))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", code)


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    source = (FOLDER / "words.js").read_text(encoding="utf-8")
    keys = set(re.findall(r'^  "([\w.-]+)": \[', source, re.MULTILINE))
    code = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.js") if path.name != "words.js")
    used = set(re.findall(r'\bt\(\s*(?:\w+ \? )?"([\w.-]+)"', code)) | set(re.findall(r'"([\w-]+\.[\w.-]+)"', code))
    prefixes = {key + "." for key in re.findall(r'word\("(\w+)"', code)} | set(re.findall(r"\bt\(`([\w.]+\.)\$", code))
    unused = {key for key in keys - used if not key.startswith(tuple(prefixes))}
    assert unused == set()
    assert set(re.findall(r'\bt\("([\w.-]+)"', code)) - keys == set()


def test_nothing_is_read_before_the_first_request(tmp_path: Path) -> None:
    files = PageFiles(tmp_path)
    (tmp_path / "late.js").write_text("1", encoding="utf-8")
    assert files.file("late.js").body == b"1"
