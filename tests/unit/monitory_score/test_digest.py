"""The digest is sent once a week, whatever happens to a run."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from monitory import clock
from monitory.alerts import store
from monitory.alerts.case import Case, Cause, MachineAlerts, Status
from monitory.alerts.store import AlertState
from monitory.alerts.text import Mail
from monitory.errors import DeliveryFailed, StorageUnavailable
from monitory_score.delivery import Topic
from monitory_score.digest import WeeklyDigest
from tests.support.fakes import WatchedStorage, down
from tests.support.predicting import NOW, World
from tests.support.samples import MACHINE
from tests.support.scoring import LAKE

WEEK = timedelta(days=7)
CASE = Case("c", *MACHINE, Cause.WEAR, 2, Status.OPEN, NOW, NOW, clock.hour_of(NOW))


class Post(Topic):
    """A topic that takes a mail, or fails."""

    def __init__(self, answers: Sequence[bool] = ()) -> None:
        self.answers = list(answers)
        self.letters: list[Mail] = []

    def publish(self, letter: Mail, name: str) -> bool:
        takes = self.answers.pop(0) if self.answers else True
        if takes:
            self.letters.append(letter)
        return takes


@pytest.fixture
def storage() -> WatchedStorage:
    storage = WatchedStorage("models")
    state = AlertState({str(MACHINE): MachineAlerts(newest=CASE.raised_hour, wear=CASE)})
    store.update(storage, LAKE, lambda _: (state, None))
    return storage


def weekly(storage: WatchedStorage, post: Topic | None) -> WeeklyDigest:
    return WeeklyDigest(storage, LAKE, post, "en", World().log)


def test_it_tells_of_the_open_cases_once_a_week(storage: WatchedStorage) -> None:
    post = Post()
    assert weekly(storage, post).send(NOW) == {"status": "sent", "open_cases": 1, "missed": 0}
    assert weekly(storage, post).send(NOW + timedelta(hours=1))["status"] == "skipped"
    assert weekly(storage, post).send(NOW + WEEK)["status"] == "sent"
    assert len(post.letters) == 2
    assert f"- {MACHINE}" in post.letters[0].body
    assert store.state_object(LAKE).read(storage).value.cases == [CASE], "cases stay as they are"


def test_what_the_topic_did_not_take_is_sent_by_the_next_try(storage: WatchedStorage) -> None:
    post = Post([False, True])
    with pytest.raises(DeliveryFailed, match="send the event again"):
        weekly(storage, post).send(NOW)
    assert weekly(storage, post).send(NOW)["status"] == "sent"
    assert len(post.letters) == 1


def test_of_two_at_once_one_sends(storage: WatchedStorage) -> None:
    class Meeting(Post):
        def publish(self, letter: Mail, name: str) -> bool:
            assert weekly(storage, Post()).send(NOW)["status"] == "skipped"
            return super().publish(letter, name)

    assert weekly(storage, Meeting()).send(NOW)["status"] == "sent"


def test_a_run_that_died_while_sending_is_followed_by_one_that_sends(storage: WatchedStorage) -> None:
    class Dying(Post):
        def publish(self, letter: Mail, name: str) -> bool:
            raise SystemExit

    with pytest.raises(SystemExit):
        weekly(storage, Dying()).send(NOW)
    post = Post()
    assert weekly(storage, post).send(NOW)["status"] == "skipped", "the other one may still be at it"
    assert weekly(storage, post).send(NOW + store.LEASE)["status"] == "sent"


def test_a_store_that_fails_sends_nothing(storage: WatchedStorage) -> None:
    post = Post()
    storage.before = down
    with pytest.raises(StorageUnavailable):
        weekly(storage, post).send(NOW)
    assert not post.letters


def test_without_a_topic_it_is_skipped(storage: WatchedStorage) -> None:
    assert weekly(storage, None).send(NOW)["reason"] == "no topic takes it: ALERT_TOPIC_ARN is empty"


def test_a_state_of_an_older_version_has_no_digest_yet() -> None:
    assert msgspec.json.decode(b'{"machines":{},"outbox":[]}', type=AlertState).digest.is_sent is False
