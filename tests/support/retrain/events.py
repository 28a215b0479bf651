"""Retrain events, and what services put around them."""

import json
from typing import Any

Json = dict[str, Any]
ID = "7bf73129-1428-4cd3-a780-95db273d1602"
BACK = {"action": "rollback", "reason": "worse"}
MONTH = {"month": "2025-06"}
JUNE = ("2025-06-01", "2025-06-30", None)
"""The days that MONTH asks for: first, last, size of the sample."""


def bus(detail: object, source: str = "factory.ops", kind: str = "retrain", **others: object) -> Json:
    """A request, as EventBridge wraps it."""
    return {
        "version": "0",
        "id": ID,
        "detail-type": kind,
        "source": source,
        "account": "123456789012",
        "time": "2026-11-20T15:00:00Z",
        "region": "ap-northeast-2",
        "resources": [],
        "detail": detail,
        **others,
    }


def scheduled(source: str = "aws.events", detail: object = None, **others: object) -> Json:
    """What a schedule sends."""
    return bus({} if detail is None else detail, source, "Scheduled Event", **others)


def sqs(*bodies: object) -> Json:
    """Messages of a queue."""
    return {"Records": [{"messageId": ID, "eventSource": "aws:sqs", "body": json.dumps(body)} for body in bodies]}


def sns(message: object) -> Json:
    """A message of a topic."""
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": ID, "Message": json.dumps(message)}}]}
