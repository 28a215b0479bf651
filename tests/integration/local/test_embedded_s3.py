"""The embedded S3 server keeps the promises that the product builds on, and leaves nothing behind."""

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from monitory.errors import StorageUnavailable
from monitory_local.s3 import S3, embedded_s3, running_s3


def _status(error: pytest.ExceptionInfo[ClientError]) -> int:
    return error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_conditional_writes_are_refused_when_the_condition_does_not_hold(s3: S3, model_bucket: str) -> None:
    client = s3.client()
    etag = client.put_object(Bucket=model_bucket, Key="a/b", Body=b"1", IfNoneMatch="*")["ETag"]
    with pytest.raises(ClientError) as second:
        client.put_object(Bucket=model_bucket, Key="a/b", Body=b"2", IfNoneMatch="*")
    assert _status(second) == 412
    client.put_object(Bucket=model_bucket, Key="a/b", Body=b"3", IfMatch=etag)
    with pytest.raises(ClientError) as outdated:
        client.put_object(Bucket=model_bucket, Key="a/b", Body=b"4", IfMatch=etag)
    assert _status(outdated) == 412
    assert client.get_object(Bucket=model_bucket, Key="a/b")["Body"].read() == b"3"


def test_metadata_comes_back_and_an_unchanged_object_is_not_sent_again(s3: S3, model_bucket: str) -> None:
    client = s3.client()
    etag = client.put_object(Bucket=model_bucket, Key="m", Body=b"x", Metadata={"version": "7"})["ETag"]
    assert client.head_object(Bucket=model_bucket, Key="m")["Metadata"] == {"version": "7"}
    with pytest.raises(ClientError) as unchanged:
        client.get_object(Bucket=model_bucket, Key="m", IfNoneMatch=etag)
    assert _status(unchanged) == 304


@pytest.mark.parametrize("name", ["b", "Our Models"])
def test_a_bucket_whose_name_is_refused_is_named(s3: S3, name: str) -> None:
    with pytest.raises(StorageUnavailable, match=f"(?s)cannot create the bucket {name}: .*[Ii]nvalid"):
        s3.ensure_buckets(name)


def test_requests_without_the_right_key_are_refused(s3: S3) -> None:
    with pytest.raises(urllib.request.HTTPError) as anonymous:
        urllib.request.urlopen(s3.endpoint)  # noqa: S310 -- an http address of loopback
    anonymous.value.close()
    assert anonymous.value.code == 403


def test_active_restores_the_environment(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    before = dict(os.environ)
    with s3_server.active():
        assert os.environ["AWS_ENDPOINT_URL"] == s3_server.endpoint
        assert "AWS_PROFILE" not in os.environ
    assert dict(os.environ) == before


def test_a_store_named_by_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with running_s3(tmp_path) as store:
        assert store == S3("http://127.0.0.1:9")
    assert not list(tmp_path.iterdir())


def test_data_survives_a_restart_and_a_second_program_joins_the_first_ones_server(tmp_path: Path) -> None:
    with embedded_s3(tmp_path) as first:
        first.ensure_buckets("kept")
        first.client().put_object(Bucket="kept", Key="k", Body=b"still here")
        with embedded_s3(tmp_path) as joined:
            assert (joined.endpoint, joined.is_own) == (first.endpoint, False)
    with embedded_s3(tmp_path) as restarted:
        assert restarted.is_own
        assert restarted.client().get_object(Bucket="kept", Key="k")["Body"].read() == b"still here"


def test_the_server_ends_when_its_program_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    command = [sys.executable, "-m", "monitory_local.s3", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        endpoint = program.stdout.readline().strip().removeprefix("export AWS_ENDPOINT_URL=")
        answered = _answers(endpoint)
        program.kill()
    deadline = time.monotonic() + 15
    while _answers(endpoint) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert answered
    assert not _answers(endpoint)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux's table of sockets")
def test_everything_it_opens_listens_on_loopback(s3_server: S3) -> None:
    port = s3_server.endpoint.rpartition(":")[2]
    addresses = _listening_addresses(_process_with(f"-s3.port={port}"))
    assert f"0100007F:{int(port):04X}" in addresses  # 127.0.0.1, as the kernel writes it
    assert {address.partition(":")[0] for address in addresses} == {"0100007F"}


def _process_with(argument: str) -> Path:
    for process in Path("/proc").glob("[0-9]*"):
        words = (process / "cmdline").read_bytes().split(b"\0")
        if argument.encode() in words and words[0].endswith(b"/weed"):
            return process
    raise AssertionError(f"no process has {argument}")


def _listening_addresses(process: Path) -> set[str]:
    """Local addresses, in hexadecimal, of the process's listening TCP sockets."""
    sockets = {str(descriptor.readlink()) for descriptor in (process / "fd").iterdir()}
    rows = [
        line.split() for table in ("tcp", "tcp6") for line in (process / "net" / table).read_text().splitlines()[1:]
    ]
    return {row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets}


def _answers(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/status", timeout=2) as answer:  # noqa: S310 -- loopback
            return bool(answer.status == 200)
    except OSError:
        return False
