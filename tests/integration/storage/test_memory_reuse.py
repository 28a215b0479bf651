"""Bodies that come one after another share their memory: getting pages from the system costs more than a request."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
from threading import Thread
from monitory.storage.s3 import S3Storage
if {prepared}:
    S3Storage("bucket", region="ap-northeast-2")
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def read():
    for number in range(40):
        if number == 20:
            before = faults()
        bodies = [bytearray(b"x") * 1_000_000 for _ in range(3)]
        del bodies
    print(faults() - before)
# as bodies are read: a thread has an arena of its own, in which no block of the interpreter keeps freed memory in place
thread = Thread(target=read)
thread.start()
thread.join()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have other rules")
def test_a_body_takes_the_pages_of_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_"):
        monkeypatch.delenv(name, raising=False)
    without, faults = (int(_output(PROGRAM.format(prepared=prepared))) for prepared in (False, True))
    assert faults < 100 < without / 20


def _output(program: str) -> bytes:
    return subprocess.check_output([sys.executable, "-c", program])
