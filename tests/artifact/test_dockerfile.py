"""The retrain image: what its Dockerfile puts in, read off the Dockerfile itself."""

from pathlib import Path

import pytest

from monitory_local.artifacts import native
from tests.support.image import TASK_ROOT, docker_sends, read_dockerfile
from tests.support.template.reading import ROOT, source

DOCKERFILE = read_dockerfile()
PROGRAM = "local/monitory_local/artifacts/native.py"


def test_the_base_is_lambdas_own_python_of_the_layer() -> None:
    runtime = source()["Resources"]["PredictFunction"]["Properties"]["Runtime"]
    assert f"public.ecr.aws/lambda/{runtime.replace('python', 'python:')}" == DOCKERFILE.base


@pytest.mark.parametrize("function", ["RetrainFunction", "ReadFunction"])
def test_the_template_builds_this_dockerfile_from_the_root(function: str) -> None:
    metadata = source()["Resources"][function]["Metadata"]
    assert (ROOT / metadata["DockerContext"] / metadata["Dockerfile"]).is_file()


def test_openmp_is_installed() -> None:
    assert "libgomp" in DOCKERFILE.packages


def test_the_c_part_is_compiled_in_a_stage_of_its_own_by_the_program_that_builds_the_layer() -> None:
    (stage,) = DOCKERFILE.earlier_stages
    assert stage.base == DOCKERFILE.base  # its Python runs the compiler, and its machine is the image's
    assert stage.commands == [f"python {PROGRAM} {stage.folder}/{native.LIBRARY}"]
    needed = {"requirements/compiler.txt", PROGRAM, str(native.SOURCE.relative_to(ROOT))}
    assert set(stage.copies) == {(path, path) for path in needed}
    assert DOCKERFILE.made == [(f"{stage.folder}/{native.LIBRARY}", f"{TASK_ROOT}/monitory/features/{native.LIBRARY}")]
    assert all(docker_sends(path) for path, _ in stage.copies)
    assert not docker_sends(str(native.SOURCE.with_name(native.LIBRARY).relative_to(ROOT)))  # of the builder's machine


def test_libraries_are_installed_by_hash() -> None:
    (command,) = [command for command in DOCKERFILE.commands if "pip install" in command]
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(command.split())
    assert f'--target "{TASK_ROOT}"' in command
    assert f'--requirement "{TASK_ROOT}/requirements.txt"' in command


def test_bytecode_is_made_and_readable_by_everybody_after_all_copies() -> None:
    last = DOCKERFILE.commands[-1]
    assert "compileall" in last
    assert "--invalidation-mode unchecked-hash" in last
    assert f'chmod -R a+rX "{TASK_ROOT}"' in last
    text = (ROOT / "functions/retrain/Dockerfile").read_text(encoding="utf-8")
    assert text.rindex("\nCOPY") < text.index("compileall")


def test_it_does_not_run_as_root() -> None:
    assert DOCKERFILE.user.split(":")[0] not in ("root", "0")


@pytest.mark.parametrize(("origin", "target"), DOCKERFILE.copies)
def test_docker_gets_what_is_copied(origin: str, target: str) -> None:
    assert (ROOT / origin).exists()
    assert docker_sends(origin)
    assert target.startswith(f"{TASK_ROOT}/")


def test_docker_gets_all_of_the_report() -> None:
    report = ROOT / "functions/retrain/monitory_retrain/report"
    files = [path for path in report.rglob("*") if path.suffix in (".css", ".html", ".json", ".py")]
    assert "korean.json" in {path.name for path in files}
    assert [path for path in files if not docker_sends(str(path.relative_to(ROOT)))] == []


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".env",
        "events/rollback.json",
        "functions/predict/monitory_predict/handler.py",
        "layers/shared/monitory/__pycache__/lake.cpython-311.pyc",
        "local/monitory_local/s3/store.py",
    ],
)
def test_docker_gets_nothing_else(path: str) -> None:
    assert not docker_sends(path)


@pytest.mark.timeout(900)
def test_the_image_holds_the_handler_and_everything_it_is_locked_to(image: Path) -> None:
    module, _, name = DOCKERFILE.handler.rpartition(".")
    assert f"def {name}(" in (image / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
    assert {"monitory", "monitory_retrain", "lightgbm", "pandas", "sklearn"} <= {path.name for path in image.iterdir()}
    assert not {"monitory_predict", "monitory_local"} & {path.name for path in image.iterdir()}


def test_matplotlib_keeps_its_fonts_where_lambda_can_write() -> None:
    assert DOCKERFILE.environment["MPLCONFIGDIR"].startswith("/tmp/")
