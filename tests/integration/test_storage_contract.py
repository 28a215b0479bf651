"""What a Storage promises, asked of the in-memory fake, of moto and of the embedded S3 server alike."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from monitory.errors import ObjectNotFound, PreconditionFailed, SettingsError, StorageUnavailable
from monitory.lake import Lake, MachineDay
from monitory.machine import Machine
from monitory.sensors import load
from monitory.storage.port import IncompleteListing, Storage
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import S3
from tests.support.fakes import MemoryStorage
from tests.support.samples import DAY, MACHINE, TEN, hour_of_readings, lake_key, ndjson

REGION = "ap-northeast-2"


@pytest.fixture(scope="module")
def moto_endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").disabled = True
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def moto_storage(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Storage:
    """A bucket of moto. It never answers 409 and serialises nothing, so it isn't asked about races."""
    for name, value in (
        ("AWS_ENDPOINT_URL", moto_endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ):
        monkeypatch.setenv(name, value)
    bucket = f"moto-{abs(hash(request.node.name)) % 10**12}"
    client = boto3.client("s3", region_name=REGION)
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    return S3Storage(bucket, region=REGION)


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


def put_as_it_is(storage: Storage, *keys: str) -> None:
    """Write objects by a client that changes no key."""
    client = boto3.client("s3", region_name=REGION)
    for key in keys:
        client.put_object(Bucket=storage.name, Key=key, Body=b"x")


@pytest.mark.parametrize(
    "odd", ["d/E//x.json", "d/E//y/z", "d/E/./x", "d/E/../x", "d/E/..", "d//x", "d/../x", "d/E/3//4"]
)
def test_an_odd_key_is_named_and_takes_no_other_with_it(moto_storage: Storage, odd: str) -> None:
    good = ["d/D/1", "d/E/2", "d/E/3/4", "d/F/5", "d/e.json"]
    put_as_it_is(moto_storage, odd, *good)
    found = list(moto_storage.list("d"))
    assert [entry.key for entry in found if not entry.fault] == good
    assert [entry.key for entry in found if entry.fault] == [odd]


def test_what_an_odd_key_may_hide_is_said_in_the_end(moto_storage: Storage) -> None:
    put_as_it_is(moto_storage, "d/E/1", "d/E/2\x01b", "d/E/2\x01c", "d/E/3", "d/F/4")
    listing = moto_storage.list("d")
    found = [next(listing) for _ in range(3)]
    assert [entry.key for entry in found] == ["d/E/2\x01b", "d/E/3", "d/F/4"]
    assert found[0].fault.endswith("hides what comes before it")
    with pytest.raises(IncompleteListing, match="d/E holds a key that hides others"):
        next(listing)


def test_odd_keys_on_several_pages_and_levels(moto_storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    good = [f"d/{number}/{part}" for number in range(5) for part in "abcd"]
    odd = ["d/1//x", "d/3/./x", "d/3//x", "d/4/../x"]
    put_as_it_is(moto_storage, *good, *odd)
    found = list(moto_storage.list("d"))
    assert [entry.key for entry in found if not entry.fault] == good
    assert [entry.key for entry in found if entry.fault] == ["d/1//x", "d/3/./x", "d/4/../x"]


def test_a_folder_full_of_odd_keys_is_left_in_the_end(moto_storage: Storage) -> None:
    put_as_it_is(moto_storage, "d/A/1", *(f"d/E/{number:03d}\x01" for number in range(101)), "d/E/z", "d/F/1")
    listing = moto_storage.list("d")
    found = [next(listing) for _ in range(102)]
    assert [entry.key for entry in found if not entry.fault] == ["d/A/1", "d/F/1"]
    with pytest.raises(IncompleteListing, match="d/E"):
        next(listing)


def test_a_machine_with_an_odd_key_is_read_and_the_key_reported(moto_storage: Storage) -> None:
    """One such key used to end every night's run until it had left the window."""
    lake = Lake(moto_storage, "EQUIPMENT", load())
    other = Machine("ZONE-001", "EQUIP-002")
    keys = [lake_key(DAY, name, machine) for machine in (MACHINE, other) for name in ("10", "11")]
    for number, key in enumerate(keys):
        put(moto_storage, key, ndjson(hour_of_readings(TEN + timedelta(hours=number % 2))))
    folder = keys[0].rpartition("/")[0]
    put_as_it_is(
        moto_storage, f"{folder}//x.json", f"{folder}/equip-10\x01-0.json", f"EQUIPMENT/date={DAY}/zone_id=Z/x"
    )
    listed = lake.day(DAY)
    assert [item.key for item in listed[other]] == keys[2:]
    assert lake.machine_day(MACHINE, DAY) == listed[MACHINE]
    content = lake.refresh(MachineDay(), listed[MACHINE])
    assert len(content.hours) >= 1
    unreadable = [seen.unreadable for seen in content.objects if seen.unreadable]
    assert [f"'{folder}//x.json' cannot be read" in unreadable[0], "equip-10\\x01-0" in unreadable[1]] == [True, True]
    assert lake.refresh(content, listed[MACHINE]) == content


def test_a_day_in_which_machines_may_be_hidden_is_not_read(moto_storage: Storage) -> None:
    put(moto_storage, lake_key(DAY, "1"))
    put_as_it_is(moto_storage, f"EQUIPMENT/date={DAY}/zone_id=\x01/equip_id=E/x.json")
    with pytest.raises(StorageUnavailable, match=f"date={DAY} holds a key that hides others"):
        Lake(moto_storage, "EQUIPMENT", load()).day(DAY)


def test_without_credentials_nothing_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="no AWS credentials"):
        S3Storage("bucket", region=REGION)


def test_credentials_of_a_profile_are_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, moto_endpoint: str
) -> None:
    profile = tmp_path / "credentials"
    profile.write_text("[factory]\naws_access_key_id = test\naws_secret_access_key = test\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profile))
    monkeypatch.setenv("AWS_PROFILE", "factory")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    boto3.Session().client("s3", region_name="us-east-1").create_bucket(Bucket="of-a-profile")
    assert list(S3Storage("of-a-profile", region="us-east-1").list("folder")) == []
