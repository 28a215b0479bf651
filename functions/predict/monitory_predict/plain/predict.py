"""`GET /api/v1/predict` behind a REST API, answered without the web framework, which takes longer than a stored answer.

Only plain requests are answered here, and as the application would, by test: each parameter once and of an allowed
form. All others are the application's.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from monitory.errors import MonitoryError
from monitory.log import Logger
from monitory.machine import PATTERN, machine
from monitory_predict.plain.error_replies import reply_to
from monitory_predict.plain.predictions import Predictions
from monitory_predict.plain.wire import API_PREFIX, PREDICT_PATH, SECURITY_HEADERS

MAX_KEY_CHARACTERS = 1024
"""S3's limit."""

_ID = re.compile(PATTERN)


class Question(NamedTuple):
    """A plain request."""

    zone_id: str
    equip_id: str
    key: str | None = None


def question_in(event: object) -> Question | None:
    """The question that a REST API's event asks; None where it is anything but a plain request."""
    if not isinstance(event, dict) or event.get("httpMethod") != "GET" or event.get("body"):
        return None
    path, query, context = (event.get(name) for name in ("path", "multiValueQueryStringParameters", "requestContext"))
    of_rest = isinstance(context, dict) and "elb" not in context and "resource" in event and "version" not in event
    if not (of_rest and isinstance(path, str) and path[path.find(API_PREFIX) :] == PREDICT_PATH):
        return None
    if not isinstance(query, dict) or not {"zoneId", "equipId"} <= query.keys() <= {"zoneId", "equipId", "key"}:
        return None
    values = {name: _only(of) for name, of in query.items()}
    zone_id, equip_id, key = (values.get(name) for name in ("zoneId", "equipId", "key"))
    if not (zone_id and equip_id and _ID.search(zone_id) and _ID.search(equip_id)):
        return None
    if "key" in values and (key is None or len(key) > MAX_KEY_CHARACTERS or not key.isascii()):
        return None
    return Question(zone_id, equip_id, key)


def _only(values: object) -> str | None:
    """The value of a parameter that is given once."""
    return values[0] if isinstance(values, list) and len(values) == 1 and isinstance(values[0], str) else None


def answer(question: Question, predictions: Predictions, log: Logger) -> dict[str, Any] | None:
    """What the gateway gets; None on a defect, which the application meets again and reports."""
    try:
        return _response(200, predictions.json(machine(question.zone_id, question.equip_id), question.key))
    except MonitoryError as exc:
        reply = reply_to(exc)
        if reply is None:
            return None
        reply.log(exc, log)
        detail = json.dumps({"detail": reply.detail(exc)}, ensure_ascii=False, separators=(",", ":"))
        return _response(reply.status, detail, reply.headers)
    except Exception:
        return None


def _response(status: int, body: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    all_headers = {
        "content-length": str(len(body.encode())),
        "content-type": "application/json",
        **{name.lower(): value for name, value in {**(headers or {}), **SECURITY_HEADERS}.items()},
    }
    return {
        "statusCode": status,
        "headers": all_headers,
        "multiValueHeaders": {},
        "body": body,
        "isBase64Encoded": False,
    }
