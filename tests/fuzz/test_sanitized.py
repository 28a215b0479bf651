"""The C part under sanitizers, for as long as a test may take."""

import shutil
from pathlib import Path

import pytest

from monitory.features import uniform
from tests.fuzz import sanitized


@pytest.mark.skipif(uniform.library() is None, reason="the C part is not compiled: make native")
def test_changed_objects_are_read_without_a_fault_and_with_the_same_bits(tmp_path: Path) -> None:
    try:
        program = sanitized.build(tmp_path)
    except sanitized.NoSanitizerError as exc:
        pytest.skip(str(exc))
    tried, taken, compared = sanitized.run(program, 20_000, seed=1)
    assert tried == 20_000
    assert tried > taken >= compared > 500


def test_a_machine_without_a_compiler_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(sanitized.NoSanitizerError, match="install gcc or clang"):
        sanitized.build(tmp_path)


def test_a_compiler_without_sanitizers_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/false")
    with pytest.raises(sanitized.NoSanitizerError, match="/bin/false does not compile"):
        sanitized.build(tmp_path)
