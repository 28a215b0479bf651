"""Sends the digest of the last days, once."""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from monitory import clock
from monitory.alerts import store
from monitory.alerts.digest import digest
from monitory.alerts.digest_text import digest_mail
from monitory.alerts.store import AlertState, DigestMark
from monitory.errors import DeliveryFailed
from monitory.log import Logger
from monitory.storage.port import Storage
from monitory_score.delivery import Topic

DAYS = 7


class WeeklyDigest:
    """The digest of a lake's cases."""

    def __init__(self, storage: Storage, lake: str, topic: Topic | None, language: str, log: Logger) -> None:
        """Nothing is read yet; `lake` is the fingerprint of the lake whose machines have the cases."""
        self._storage = storage
        self._lake = lake
        self._topic = topic
        self._language = language
        self._log = log

    def send(self, now: datetime) -> dict[str, Any]:
        """Send the digest of the seven days before today, unless it has been sent.

        Returns:
            `status`: `sent`, or `skipped` with a `reason`.

        Raises:
            StorageUnavailable: the store failed.
            StorageError: the alert state is damaged.
            DeliveryFailed: the topic did not take it; called again, it is sent.
        """
        if self._topic is None:
            return {"status": "skipped", "reason": "no topic takes it: ALERT_TOPIC_ARN is empty"}
        today = clock.naive(now).replace(hour=0, minute=0, second=0, microsecond=0)
        day = today.date() - timedelta(days=1)
        lease = store.update(self._storage, self._lake, lambda state: _leased(state, day, now))
        if lease is None:
            return {"status": "skipped", "reason": f"the digest up to {day} has been sent, or is being sent"}
        told = digest(lease.cases, clock.aware(today - timedelta(days=DAYS)), clock.aware(today))
        is_sent = self._topic.publish(digest_mail(told, self._language), "the digest")
        store.update(self._storage, self._lake, lambda state: (_marked(state, DigestMark(day, is_sent)), None))
        if not is_sent:
            raise DeliveryFailed("the digest is not sent yet; send the event again")
        self._log.info("the digest up to %s is sent", day)
        return {"status": "sent", "open_cases": len(told.unfinished), "missed": len(told.missed)}


def _leased(state: AlertState, day: date, now: datetime) -> tuple[AlertState, AlertState | None]:
    """The state with a lease on the digest of a day, twice; the second is None where another run has it."""
    mark = state.digest
    if mark.day > day or (mark.day == day and (mark.is_sent or mark.leased_until > now)):
        return state, None
    state = _marked(state, DigestMark(day, leased_until=now + store.LEASE))
    return state, state


def _marked(state: AlertState, mark: DigestMark) -> AlertState:
    return msgspec.structs.replace(state, digest=mark)
