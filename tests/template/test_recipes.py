# mypy: disable-error-code="import-untyped"
# (the Serverless transform ships no types)
"""Recipes of the documentation: stacks of their own that take events about cases."""

import json
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
from moto import mock_aws
from samtranslator.yaml_helper import yaml_parse

from monitory.alerts.case import Case, Cause, Change, Facts, Status, Transition
from monitory.alerts.view import transition_view
from monitory_score.delivery import DETAIL_TYPE, SOURCE
from tests.support.template.reading import ROOT
from tests.template.test_lint import TOOLS, run

RECIPES = sorted((ROOT / "docs/recipes").glob("*.yaml"))
AT = datetime(2026, 11, 20, 3, 20, tzinfo=UTC)
CASE = Case("c", "Z", "E", Cause.WEAR, 2, Status.OPEN, AT, AT, 1, facts=Facts(2.8, AT, AT))
DETAIL = json.loads(transition_view(Transition("c/1", Change.OPENED, AT, CASE), "Z/E: new").model_dump_json())


def resources(recipe: Path) -> dict[str, Any]:
    template: dict[str, Any] = yaml_parse(recipe.read_text(encoding="utf-8"))
    found: dict[str, Any] = template["Resources"]
    return found


def test_cfn_lint_has_nothing_to_say() -> None:
    assert [recipe.stem for recipe in RECIPES] == ["slack", "webhook", "work-orders"]
    done = run(TOOLS / "cfn-lint", *RECIPES)
    assert (done.stdout, done.returncode) == ("", 0), done.stdout + done.stderr


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.stem)
def test_the_rule_matches_an_event_about_an_urgent_case(recipe: Path) -> None:
    pattern = resources(recipe)["Rule"]["Properties"]["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == ([SOURCE], [DETAIL_TYPE])
    details = pattern.get("detail", {})
    assert DETAIL["transition"] in details.get("transition", [DETAIL["transition"]])
    assert DETAIL["case"]["level"] in details.get("case", {}).get("level", [DETAIL["case"]["level"]])


class _Orders(BaseHTTPRequestHandler):
    """Takes work orders."""

    taken: list[tuple[dict[str, str], dict[str, Any]]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.taken.append((dict(self.headers), body))
        self.send_response(201)
        self.end_headers()

    def log_message(self, *args: object) -> None: ...


def test_a_work_order_names_the_asset_and_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    source = resources(ROOT / "docs/recipes/work-orders.yaml")["Function"]["Properties"]["Code"]["ZipFile"]
    module: dict[str, Any] = {}
    exec(source, module)  # noqa: S102 (our own)
    _Orders.taken = []
    server = HTTPServer(("127.0.0.1", 0), _Orders)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("WORK_ORDER_URL", f"http://127.0.0.1:{server.server_port}/orders")
    monkeypatch.setenv("ASSET_IDS", '{"Z/E": "A-4711"}')
    try:
        with mock_aws():
            secret = boto3.client("secretsmanager").create_secret(Name="token", SecretString="t0ken")
            monkeypatch.setenv("SECRET_ARN", secret["ARN"])
            assert module["handler"]({"detail": DETAIL}, None) == {"status": 201}
            other = {"detail": DETAIL | {"case": DETAIL["case"] | {"equipId": "F"}}}
            with pytest.raises(KeyError, match="no asset id of Z/F"):
                module["handler"](other, None)
    finally:
        server.shutdown()
        server.server_close()
    ((headers, order),) = _Orders.taken
    assert headers["Authorization"] == "Bearer t0ken"
    assert (order["assetId"], order["externalId"], order["title"]) == ("A-4711", "c", "Z/E: new")
