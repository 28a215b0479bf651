"""What a Storage promises, asked of the in-memory fake, of moto and of the embedded S3 server alike."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from monitory.errors import ObjectNotFound, PreconditionFailed, StorageUnavailable
from monitory.storage.port import Storage
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import REGION, S3
from tests.support.fakes import MemoryStorage


@pytest.fixture
def s3_storage(s3: S3, model_bucket: str) -> Storage:
    return S3Storage(model_bucket, region=REGION)


@pytest.fixture(params=["memory", "moto", "embedded"])
def storage(request: pytest.FixtureRequest) -> Storage:
    if request.param == "memory":
        return MemoryStorage()
    found: Storage = request.getfixturevalue("moto_storage" if request.param == "moto" else "s3_storage")
    return found


def put(storage: Storage, key: str, body: bytes = b"body", **others: object) -> str:
    return storage.put(key, body, content_type="text/plain", **others)  # type: ignore[arg-type]


def test_what_was_put_is_got(storage: Storage) -> None:
    body = bytes(range(256)) * 100
    etag = put(storage, "folder/key.bin", body, metadata={"version": "2026/11/20/150000", "reason": "a+b%41; (c)"})
    blob = storage.get("folder/key.bin")
    assert (blob.body, blob.etag) == (body, etag)
    assert blob.metadata["version"] == "2026/11/20/150000"
    assert blob.metadata["reason"] == "a+b%41; (c)"
    assert blob.metadata["content-type"] == "text/plain"
    assert blob.modified.tzinfo is not None


def test_an_empty_object_is_an_object(storage: Storage) -> None:
    put(storage, "empty", b"")
    assert storage.get("empty").body == b""
    assert list(storage.stream("empty", 100)) in ([], [b""])


def test_metadata_goes_with_the_object_that_is_replaced(storage: Storage) -> None:
    put(storage, "key", metadata={"first": "1"})
    put(storage, "key", metadata={"second": "2"})
    metadata = storage.get("key").metadata
    assert "second" in metadata
    assert "first" not in metadata


@pytest.mark.parametrize("key", ["missing", "folder/missing", "folder"])
def test_an_object_that_is_not_there_is_said_so(storage: Storage, key: str) -> None:
    put(storage, "folder/key")
    with pytest.raises(ObjectNotFound, match=key):
        storage.get(key)
    with pytest.raises(ObjectNotFound, match=key):
        storage.get_if_changed(key, '"5d41402abc4b2a76b9719d911017c592"')
    with pytest.raises(ObjectNotFound, match=key):
        list(storage.stream(key, 100))


def test_an_object_is_not_sent_again_while_its_etag_is_the_same(storage: Storage) -> None:
    etag = put(storage, "key", b"one")
    assert storage.get_if_changed("key", etag) is None
    blob = storage.get_if_changed("key", None)
    assert blob is not None
    assert blob.etag == etag
    put(storage, "key", b"two")
    blob = storage.get_if_changed("key", etag)
    assert blob is not None
    assert blob.body == b"two"


def test_creating_what_exists_fails_and_changes_nothing(storage: Storage) -> None:
    put(storage, "key", b"one", create=True)
    for body in (b"two", b"one"):
        with pytest.raises(PreconditionFailed):
            put(storage, "key", body, create=True)
    assert storage.get("key").body == b"one"


def test_replacing_works_on_the_object_that_was_read_and_no_other(storage: Storage) -> None:
    first = put(storage, "key", b"one")
    second = put(storage, "key", b"two", replaces=first)
    for stale in (first, '"another"', ""):
        with pytest.raises(PreconditionFailed):
            put(storage, "key", b"three", replaces=stale)
    assert storage.get("key").body == b"two"
    put(storage, "key", b"three", replaces=second)
    assert storage.get("key").body == b"three"


def test_replacing_what_is_gone_fails(storage: Storage) -> None:
    with pytest.raises(PreconditionFailed):
        put(storage, "gone", b"two", replaces='"5d41402abc4b2a76b9719d911017c592"')
    with pytest.raises(ObjectNotFound):
        storage.get("gone")


def test_a_listing_is_of_one_folder_in_the_order_of_keys(storage: Storage) -> None:
    keys = ["day=1/b/2.json", "day=1/b/1.json", "day=1/a.json", "day=10/x.json", "day=1x/y.json", "z.json"]
    etags = {key: put(storage, key, key.encode()) for key in keys}
    entries = list(storage.list("day=1"))
    assert [entry.key for entry in entries] == ["day=1/a.json", "day=1/b/1.json", "day=1/b/2.json"]
    assert [entry.etag for entry in entries] == [etags[entry.key] for entry in entries]
    assert [entry.size for entry in entries] == [len(entry.key) for entry in entries]
    assert list(storage.list("day=2")) == []


@pytest.mark.parametrize("storage", ["memory", "embedded"], indirect=True)
def test_a_listing_of_many_pages_is_whole(storage: Storage) -> None:
    keys = [f"many/{number:04d}" for number in range(1001)]
    with ThreadPoolExecutor(8) as executor:
        list(executor.map(partial(put, storage), keys))
    assert [entry.key for entry in storage.list("many")] == keys


@pytest.mark.parametrize("size", [0, 1, 999_999, 3_000_000])
def test_a_stream_is_the_whole_object(storage: Storage, size: int) -> None:
    body = (b"0123456789" * (size // 10 + 1))[:size]
    put(storage, "large", body)
    chunks = list(storage.stream("large", 1_000_000))
    assert b"".join(chunks) == body
    assert all(len(chunk) >= 1_000_000 for chunk in chunks[:-1])


@pytest.mark.parametrize("storage", ["memory", "embedded"], indirect=True)
def test_of_many_writers_at_once_one_wins(storage: Storage) -> None:
    etag = put(storage, "key", b"first")
    outcomes: list[str] = []

    def write(number: int) -> None:
        try:
            put(storage, "key", b"writer %d" % number, replaces=etag)
            outcomes.append("won")
        except PreconditionFailed:
            outcomes.append("lost")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost"] * 11 + ["won"]


def test_a_store_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    storage = S3Storage("bucket", region=REGION, retries=0)
    for call in (
        lambda: storage.get("key"),
        lambda: list(storage.list("folder")),
        lambda: list(storage.stream("key", 10)),
        lambda: storage.put("key", b"", content_type="text/plain"),
    ):
        with pytest.raises(StorageUnavailable, match="s3://bucket/") as caught:
            call()
        assert "\n" not in str(caught.value)


def test_a_bucket_that_is_not_there_fails_by_name(moto_storage: Storage) -> None:
    storage = S3Storage("no-such-bucket", region=REGION, retries=0)
    with pytest.raises(StorageUnavailable, match="no-such-bucket"):
        list(storage.list("folder"))
    with pytest.raises(StorageUnavailable, match="no-such-bucket"):
        storage.put("key", b"", content_type="text/plain")
