"""Where transitions go: an EventBridge bus and an SNS topic, through boto3, which Lambda's runtime has.

Both are called at most once a run, and only where there is something to tell: boto3 is imported then, not at start.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Protocol

from monitory.alerts.case import Transition
from monitory.alerts.text import Mail, mail, sentence
from monitory.alerts.view import transition_view
from monitory.log import Logger
from monitory.settings import ScoreSettings

SOURCE = "monitory"
DETAIL_TYPE = "Monitory Case Transition"

_BATCH = 10
"""Events that one call takes."""


class Channel(Protocol):
    """A way in which transitions leave."""

    name: str

    def send(self, transitions: Sequence[Transition]) -> set[str]:
        """Send transitions; returns the ids of those that were taken. What fails is logged, and left for later."""


class EventBus:
    """An EventBridge bus: an event a transition."""

    name = "events"

    def __init__(self, settings: ScoreSettings, log: Logger) -> None:
        """Nothing is sent yet."""
        self._settings = settings
        self._log = log

    def send(self, transitions: Sequence[Transition]) -> set[str]:
        """See Channel."""
        taken: set[str] = set()
        try:
            client = _client("events", self._settings.aws_region)
            waiting = iter(transitions)
            while batch := list(islice(waiting, _BATCH)):
                answer = client.put_events(Entries=[self._entry(one) for one in batch])
                for one, entry in zip(batch, answer["Entries"], strict=True):
                    if "EventId" in entry:
                        taken.add(one.id)
                    else:
                        self._log.error("event %s is not taken: %s", one.id, entry.get("ErrorMessage"))
        except Exception as exc:  # boto3's errors have no common ancestor with ours; the outbox keeps the rest
            self._log.error("%d events are not sent: %s", len(transitions) - len(taken), exc)
        return taken

    def _entry(self, transition: Transition) -> dict[str, Any]:
        text = sentence(transition, self._settings.alert_language)
        return {
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Detail": transition_view(transition, text).model_dump_json(),
            "EventBusName": self._settings.event_bus_name,
            "Time": transition.at,
        }


class Topic:
    """An SNS topic: one mail a run."""

    name = "mail"

    def __init__(self, settings: ScoreSettings, log: Logger) -> None:
        """Nothing is sent yet."""
        self._settings = settings
        self._log = log

    def send(self, transitions: Sequence[Transition]) -> set[str]:
        """See Channel."""
        letter = mail(transitions, self._settings.alert_language)
        if self.publish(letter, f"the mail about {len(transitions)} transitions"):
            return {one.id for one in transitions}
        return set()

    def publish(self, letter: Mail, name: str) -> bool:
        """Send a mail, which the log gives a name; whether the topic took it."""
        try:
            _client("sns", self._settings.aws_region).publish(
                TopicArn=self._settings.alert_topic_arn, Subject=letter.subject, Message=letter.body
            )
        except Exception as exc:
            self._log.error("%s is not sent: %s", name, exc)
            return False
        return True


def topic(settings: ScoreSettings, log: Logger) -> Topic | None:
    """The topic that the settings name."""
    return Topic(settings, log) if settings.alert_topic_arn else None


def channels(settings: ScoreSettings, log: Logger) -> list[Channel]:
    """The channels that the settings name."""
    named: Iterable[Channel | None] = (
        EventBus(settings, log) if settings.event_bus_name else None,
        topic(settings, log),
    )
    return [channel for channel in named if channel]


def _client(service: str, region: str) -> Any:
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "max_attempts": 3})
    return boto3.client(service, region_name=region, config=patience)  # type: ignore[call-overload]
