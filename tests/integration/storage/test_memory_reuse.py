"""Bodies that come one after another share their memory: getting pages from the system costs more than a request."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
from monitory.storage.s3 import S3Storage
S3Storage("bucket", region="ap-northeast-2")
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for number in range(40):
    if number == 20:
        before = faults()
    received = bytearray(b"x") * 1_000_000
    body = bytes(received)
    del received, body
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have other rules")
def test_a_body_takes_the_pages_of_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_"):
        monkeypatch.delenv(name, raising=False)
    # without it these are 20,000 or none, by where in the heap the interpreter's own blocks happen to lie
    assert int(_output(PROGRAM)) < 100


def _output(program: str) -> bytes:
    return subprocess.check_output([sys.executable, "-c", program])
