# mypy: disable-error-code="import-untyped,misc"
# (PyYAML ships no types)
"""What the API's gateway does before a request reaches the function, in the words of the template."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_TEMPLATE = Path(__file__).parents[2] / "template.yaml"


class Gatekeeper:
    """Stands before the application: no key, no data; no more than the plan's requests; the page without either.

    Attributes:
        left: requests that the key has left today.
    """

    def __init__(self, app: ASGIApp, key: str, left: float = float("inf")) -> None:
        self._app = app
        self._key = key
        self.left = left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        application = self._app
        if "/api/v1/" in scope["path"]:
            if headers.get(b"x-api-key") != self._key.encode():
                application = _refusal("INVALID_API_KEY")
            elif self.left < 1:
                application = _refusal("QUOTA_EXCEEDED")
            else:
                self.left -= 1
        await application(scope, receive, send)


def _refusal(name: str) -> Response:
    answer = _answers()[name]
    headers = {name: text.strip("'") for name, text in answer.get("ResponseParameters", {}).get("Headers", {}).items()}
    body = answer["ResponseTemplates"]["application/json"]
    assert json.loads(body)["detail"]
    return Response(body, answer["StatusCode"], headers, "application/json")


@cache
def _answers() -> dict[str, Any]:
    """The template's gateway responses by AWS's names of them."""
    template = yaml.load(_TEMPLATE.read_text(encoding="utf-8"), _Yaml)  # noqa: S506 (a safe loader's child)
    answers: dict[str, Any] = template["Resources"]["Api"]["Properties"]["GatewayResponses"]
    return answers


class _Yaml(yaml.SafeLoader):
    """Takes CloudFormation's short forms for nothing."""


_Yaml.add_multi_constructor("!", lambda loader, suffix, node: None)
