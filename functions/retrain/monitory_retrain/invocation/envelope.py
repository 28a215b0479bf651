"""Removes the envelopes of other services: the retrain request in an event, and how it arrives.

{"detail-type": ..., "source": "factory.ops", "id": ..., "detail": {request}}     a bus: `detail` is the request
{"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}, ...}     a rule's, or Scheduler's, own event
{"Records": [{"messageId": ..., "body": "request"}]}                              one message of SQS, or of SNS in it
{"Records": [{"Sns": {"MessageId": ..., "Message": "request"}}]}                  one message of SNS
{"requestContext": ..., "requestPayload": request, ...}                           a message of the failed-events queue
{"FunctionName": ..., "Payload": request}, {"event": request, "round": ...}       Step Functions
"request as JSON"

An event is *delivered* where its service waits for no answer: a bus, a schedule, a topic, a queue. Lambda itself does
not distinguish an asynchronous invocation from a synchronous one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from monitory.errors import UNDECODABLE, InvalidEvent

MAX_LAYERS = 8
SCHEDULED = "Scheduled Event"
_SCHEDULERS = ("aws.events", "aws.scheduler")
_EMPTY: tuple[object, ...] = (None, "", "{}", {})
"""Details without a request; EventBridge Scheduler writes its own as text."""

_STEP = {"FunctionName", "InvocationType", "Qualifier", "ClientContext", "LogType"}
_STEP_ANSWER = {"ExecutedVersion", "SdkHttpMetadata", "SdkResponseMetadata", "StatusCode"}
_STATE = {"event", "round", "retrain", "plan", "after", "instance", "function", "job"}
"""What the state machine of this service carries from state to state."""
_HTTP = {"httpMethod", "rawPath", "routeKey"}

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A request without its envelopes.

    Attributes:
        request: the request; of a schedule, its whole event.
        scheduled: whether it is a schedule's own event.
        delivery: id of the bus's event or of the message, the same in each delivery; None without one.
        source: the sender on the bus; None without one.
    """

    request: Json
    scheduled: bool = False
    delivery: str | None = None
    source: str | None = None


def is_delivered(event: object) -> bool:
    """Whether an event comes from a service that waits for no answer, however unusable the event is."""
    return isinstance(event, Mapping) and ("Records" in event or _is_bus_event(event))


def unwrap(event: object) -> Envelope:
    """Remove the envelopes of an event.

    Raises:
        InvalidEvent: it has no request, or is another kind of event; the message says what to send instead.
    """
    layer, delivery, source = event, None, None
    for _ in range(MAX_LAYERS):
        layer = _decode(layer)
        if _is_bus_event(layer):
            if _is_scheduled(layer):
                return Envelope(layer, scheduled=True, source=layer.get("source"))
            delivery = _text(layer.get("id")) or delivery
            source = _text(layer.get("source")) or source
            layer = _detail(layer)
        elif "Records" in layer:
            delivery, layer = _message(layer["Records"])
        elif layer.get("Type") == "Notification" and "Message" in layer:
            layer = layer["Message"]  # a topic's, in a queue
        elif "requestPayload" in layer and "requestContext" in layer:
            layer = layer["requestPayload"]
        elif "Payload" in layer and layer.keys() <= {"Payload"} | _STEP | _STEP_ANSWER:
            layer = layer["Payload"]
        elif "event" in layer and layer.keys() <= _STATE:
            layer = layer["event"]
        elif _HTTP & layer.keys():
            raise InvalidEvent("an HTTP request is no retrain event: invoke the function with the request itself")
        else:
            return Envelope(layer, delivery=delivery, source=source)
    raise InvalidEvent(f"the request is wrapped more than {MAX_LAYERS} times: send it as it is")


def _decode(layer: object) -> Json:
    """A layer as an object; text is decoded, however often it is encoded."""
    while isinstance(layer, str):
        try:
            layer = msgspec.json.decode(layer)
        except (*UNDECODABLE, UnicodeEncodeError) as exc:
            raise InvalidEvent(f"the event is text that is no JSON ({exc}): {_excerpt(layer)}") from exc
    if not isinstance(layer, Mapping):
        raise InvalidEvent(f'an event is a JSON object like {{"month": "2025-06"}}, this is {type(layer).__name__}')
    return layer


def _is_bus_event(layer: Json) -> bool:
    source = layer.get("source")
    return "detail-type" in layer or "detail" in layer or (isinstance(source, str) and source.startswith("aws."))


def _is_scheduled(layer: Json) -> bool:
    return (
        layer.get("detail-type") == SCHEDULED
        and layer.get("source", _SCHEDULERS[0]) in _SCHEDULERS
        and layer.get("detail") in _EMPTY
    )


def _detail(layer: Json) -> object:
    """The request that a bus event carries."""
    source, kind, detail = layer.get("source"), layer.get("detail-type"), layer.get("detail")
    name = f"{_excerpt(kind)} of {_excerpt(source)}"
    if isinstance(source, str) and source.startswith("aws.") and source not in _SCHEDULERS:
        raise InvalidEvent(f"the event {name} is not for retraining: check the rule that sends it here")
    if detail in _EMPTY:
        raise InvalidEvent(f"the event {name} has no detail, which would be the request: put the request there")
    return detail


def _message(records: object) -> tuple[str | None, object]:
    """The id of the single message of a queue or a topic, and its request."""
    if not isinstance(records, list) or len(records) != 1 or not isinstance(records[0], Mapping):
        count = len(records) if isinstance(records, list) else "no"
        raise InvalidEvent(f"Records holds {count} messages, one request at a time is taken: set the batch size to 1")
    (record,) = records
    source, topic = record.get("eventSource", record.get("EventSource")), record.get("Sns")
    if source == "aws:sqs" and "body" in record:
        return _text(record.get("messageId")), record["body"]
    if source == "aws:sns" and isinstance(topic, Mapping) and "Message" in topic:
        return _text(topic.get("MessageId")), topic["Message"]
    raise InvalidEvent(f"a record of {_excerpt(source)} is not for retraining: check what sends it here")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _excerpt(value: object) -> str:
    return repr(value[:60]) if isinstance(value, str) else type(value).__name__
