"""The build without Docker: what is in the artifacts, what is not, and what it refuses."""

import re
import subprocess
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from monitory.metric_names import PREDICT_SERVICE
from monitory_local.artifacts import build, native, wheels
from monitory_local.artifacts.wheels import BuildError
from tests.artifact.conftest import WHEELHOUSE

pytestmark = pytest.mark.timeout(600)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_both_artifacts_are_far_below_the_limit(built: Path) -> None:
    total = size(built / "PredictFunction") + size(built / "SharedLayer")
    assert total <= 60_000_000


def test_serving_ships_no_training_stack(built: Path) -> None:
    names = {path.name for path in [*(built / "PredictFunction").iterdir(), *(built / "SharedLayer/python").iterdir()]}
    assert not {"numpy", "pandas", "scipy", "sklearn", "boto3", "botocore"} & names
    assert {"monitory", "obstore", "msgspec", "lightgbm"} <= names


def test_the_page_is_shipped_whole(built: Path) -> None:
    page = build.ROOT / "functions/predict/monitory_predict/page"
    assert files(built / "PredictFunction/monitory_predict/page") == files(page)


def test_of_lightgbm_only_the_library_and_its_licence_are_shipped(built: Path) -> None:
    shipped = {name for name in files(built / "SharedLayer/python") if name.startswith("lightgbm")}
    assert {name for name in shipped if "dist-info" not in name} == {"lightgbm/lib/lib_lightgbm.so"}
    assert any(name.endswith("LICENSE") for name in shipped)


def test_libgomp_is_on_the_loaders_path_with_its_licence(built: Path) -> None:
    library = built / "SharedLayer/lib/libgomp.so.1"
    assert library.read_bytes()[:4] == b"\x7fELF"
    licence = (built / "SharedLayer/lib/LICENSE-libgomp.txt").read_text(encoding="utf-8")
    assert "GCC RUNTIME LIBRARY EXCEPTION" in licence


@pytest.mark.parametrize(("arch", "machine"), [("x86_64", 0x3E), ("arm64", 0xB7)])
def test_the_c_part_is_compiled_for_the_processor_and_small(arch: str, machine: int, tmp_path: Path) -> None:
    (tmp_path / "monitory/features").mkdir(parents=True)
    build.add_library(tmp_path, arch)
    library = (tmp_path / "monitory/features" / native.LIBRARY).read_bytes()
    assert library[:4] == b"\x7fELF"
    assert int.from_bytes(library[18:20], "little") == machine
    assert len(library) < 50_000


def test_the_layer_has_the_c_part_and_not_its_source(built: Path) -> None:
    shipped = files(built / "SharedLayer/python/monitory/features")
    assert native.LIBRARY in shipped
    assert native.SOURCE.name not in shipped


def test_a_layer_is_built_without_the_c_part_where_there_is_no_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(native, "_LOCK", tmp_path / "lock.txt")
    (tmp_path / "lock.txt").write_text("no-such-compiler==1 --hash=sha256:00\n", encoding="utf-8")
    build.add_library(tmp_path, "x86_64")
    assert "warning: no C library" in capsys.readouterr().err
    assert not list(tmp_path.rglob(native.LIBRARY))


def test_nothing_is_installed_twice(built: Path) -> None:
    function = {path.name for path in (built / "PredictFunction").iterdir()}
    layer = {path.name for path in (built / "SharedLayer/python").iterdir()}
    assert function & layer == set()


def test_every_package_keeps_its_metadata_and_a_licence(built: Path) -> None:
    for artifact in ("PredictFunction", "SharedLayer/python"):
        for folder in (built / artifact).glob("*.dist-info"):
            kept = files(folder)
            assert "METADATA" in kept, folder.name
            assert not {"RECORD", "WHEEL"} & kept, folder.name


@pytest.mark.skipif(build.find_compiler() is None, reason="no Python 3.13 to make bytecode with")
def test_bytecode_is_shipped_for_every_module_and_never_checked(built: Path) -> None:
    for source in (built / "PredictFunction").rglob("*.py"):
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        header = compiled.read_bytes()[:16]
        # PEP 552: bit 0 says hash instead of time, bit 1 that the source is to be checked
        assert int.from_bytes(header[4:8], "little") == 0b01, source
        if sys.version_info[:2] == (3, 13):
            assert header[:4] == MAGIC_NUMBER


@pytest.mark.skipif(build.find_compiler() is None, reason="no Python 3.13 to make bytecode with")
def test_tracebacks_name_the_place_on_lambda(built: Path) -> None:
    compiled = built / "SharedLayer/python/monitory/__pycache__/metric_names.cpython-313.pyc"
    assert b"/opt/python/monitory/metric_names.py" in compiled.read_bytes()
    assert PREDICT_SERVICE.encode() in compiled.read_bytes()


def test_the_built_template_names_the_artifacts(built: Path) -> None:
    text = (built / "template.yaml").read_text(encoding="utf-8")
    assert "CodeUri: PredictFunction\n" in text
    assert "ContentUri: SharedLayer\n" in text
    (context,) = {line.split()[1] for line in text.splitlines() if "DockerContext:" in line}
    assert (built / context).resolve() == build.ROOT
    for pattern in (r"DefinitionUri: (\S+)", r"Location: (\S+)}"):
        (place,) = re.findall(pattern, text)
        assert (built / place).is_file()


def test_a_build_for_another_processor_can_be_deployed_for_that_one_only(tmp_path: Path) -> None:
    build.write_template(tmp_path, "arm64")
    text = (tmp_path / "template.yaml").read_text(encoding="utf-8")
    assert "    Default: arm64\n    AllowedValues: [arm64]\n" in text


def test_a_second_build_gives_the_same_artifact(built: Path, tmp_path: Path) -> None:
    again = tmp_path / "PredictFunction"
    build.build("PredictFunction", again, "x86_64", WHEELHOUSE, None)
    sources = {name for name in files(built / "PredictFunction") if not name.endswith(".pyc")}
    assert files(again) == sources
    for name in sources:
        assert (again / name).read_bytes() == (built / "PredictFunction" / name).read_bytes()


def test_a_failed_build_leaves_the_former_one(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "PredictFunction"
    target.mkdir()
    (target / "former").touch()
    monkeypatch.setattr(build, "compile_bytecode", lambda *_: (_ for _ in ()).throw(BuildError("no")))
    with pytest.raises(BuildError):
        build.build("PredictFunction", target, "x86_64", WHEELHOUSE, Path(sys.executable))
    assert files(target) == {"former"}


def test_too_large_an_artifact_fails_the_build(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "LIMIT_BYTES", 1_000_000)
    monkeypatch.setattr(build, "find_compiler", lambda: None)
    arguments = ["--only", "PredictFunction", "--out", str(tmp_path / "PredictFunction")]
    assert build.main(arguments) == 1
    assert "more than 1 MB" in capsys.readouterr().err


def test_without_the_runtimes_python_the_build_says_what_is_lost(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "find_compiler", lambda: None)
    target = tmp_path / "PredictFunction"
    assert build.main(["--only", "PredictFunction", "--out", str(target)]) == 0
    assert "has no bytecode" in capsys.readouterr().err
    assert not [*target.rglob("*.pyc")]


def test_the_function_and_the_layer_may_not_differ_in_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    locks = {"shared": "1", "predict": "2"}

    def read_lock(path: Path) -> dict[str, wheels.Pin]:
        return {"pydantic": wheels.Pin("pydantic", locks[path.parent.name], frozenset({"0" * 64}))}

    monkeypatch.setattr(wheels, "read_lock", read_lock)
    with pytest.raises(BuildError, match="pydantic is 1 in the layer and 2 in the function"):
        build.pins_of("PredictFunction")


def test_a_wheel_with_another_hash_is_refused(built: Path, tmp_path: Path) -> None:
    pin = wheels.read_lock(build.ROOT / "functions/predict/requirements.txt")["mangum"]
    with pytest.raises(BuildError, match="hash"):
        wheels.fetch([pin._replace(hashes=frozenset({"0" * 64}))], "x86_64", tmp_path)


@pytest.mark.parametrize("line", ["fastapi", "fastapi>=0.100", "fastapi==0.165.0", "./local-package"])
def test_a_line_without_version_and_hash_is_refused(tmp_path: Path, line: str) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"# a comment\n{line}\n    # via something\n", encoding="utf-8")
    with pytest.raises(BuildError, match="not a pinned version with hashes"):
        wheels.read_lock(lock)


def test_the_command_line_explains_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "monitory_local.artifacts.build", "--help"],
        env={"PYTHONPATH": f"{build.ROOT}/layers/shared:{build.ROOT}/local"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--arch" in done.stdout
