"""Events as API Gateway and function URLs send them, from the samples under `events/`."""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

Event = dict[str, Any]
Query = Mapping[str, str | Sequence[str]]

_EVENTS = Path(__file__).parents[2] / "events"
_REST: Event = json.loads((_EVENTS / "predict-rest.json").read_text(encoding="utf-8"))
_HTTP: Event = json.loads((_EVENTS / "predict-http.json").read_text(encoding="utf-8"))
STAGE = "prod"


def rest_event(path: str, query: Query | None = None, method: str = "GET", base_path: str = "") -> Event:
    """As a REST API sends it (payload format 1.0): parameters decoded, null where there are none.

    With a base path the request came by a custom domain; without one by the API's own name, whose stage is in the
    context's path only.
    """
    values = {name: [value] if isinstance(value, str) else list(value) for name, value in (query or {}).items()}
    event = deepcopy(_REST)
    event |= {
        "resource": path,
        "path": f"{base_path}{path}",
        "httpMethod": method,
        "queryStringParameters": {name: all_of[-1] for name, all_of in values.items()} or None,
        "multiValueQueryStringParameters": values or None,
    }
    context = {"httpMethod": method, "resourcePath": path, "path": f"{base_path or f'/{STAGE}'}{path}"}
    event["requestContext"] |= context | ({"domainName": "api.example.com", "domainPrefix": "api"} if base_path else {})
    return event


def http_event(path: str, query: Query | None = None, method: str = "GET", base_path: str = "") -> Event:
    """As an HTTP API sends it (payload format 2.0): the raw query string, and the path with a stage that has a name.

    `base_path` is such a stage's, or that of a custom domain's mapping.
    """
    event = deepcopy(_HTTP)
    event |= {
        "routeKey": f"{method} {path}",
        "rawPath": f"{base_path}{path}",
        "rawQueryString": urlencode(query or {}, doseq=True),
    }
    joined = {name: value if isinstance(value, str) else ",".join(value) for name, value in (query or {}).items()}
    event["queryStringParameters"] = joined
    event["requestContext"]["http"] |= {"method": method, "path": f"{base_path}{path}"}
    event["requestContext"] |= {"routeKey": event["routeKey"], "stage": base_path.strip("/") or "$default"}
    return event


def http_event_v1(path: str, query: Query | None = None, method: str = "GET", base_path: str = "") -> Event:
    """As an HTTP API sends it in payload format 1.0."""
    event = rest_event(path, query, method)
    event |= {"version": "1.0", "path": f"{base_path}{path}"}
    event["requestContext"] |= {"stage": base_path.strip("/") or "$default", "path": f"{base_path}{path}"}
    return event


def function_url_event(path: str, query: Query | None = None, method: str = "GET") -> Event:
    """As a function URL sends it: payload format 2.0, no route."""
    event = http_event(path, query, method)
    domain = "abcdefghij0123456789.lambda-url.ap-northeast-2.on.aws"
    event["headers"] |= {"host": domain}
    event["routeKey"] = "$default"
    event["requestContext"] |= {
        "routeKey": "$default",
        "accountId": "anonymous",
        "apiId": "abcdefghij0123456789",
        "domainName": domain,
    }
    return event
