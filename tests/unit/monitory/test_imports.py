"""What importing the product costs and touches: serving is lean, and nothing happens at import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
SHARED, PREDICT = REPOSITORY / "layers/shared/monitory", REPOSITORY / "functions/predict/monitory_predict"
HEAVY = ("boto3", "botocore.client", "imblearn", "lightgbm", "numpy", "pandas", "pyarrow", "scipy", "sklearn")
MODULES = sorted(
    ".".join(path.relative_to(package.parent).with_suffix("").parts)
    for package in (SHARED, PREDICT)
    for path in package.rglob("[a-z]*.py")
    if path.stem != "handler"  # the one that reads its settings: Lambda imports it to start
)
IMPORT = f"for name in {MODULES}: importlib.import_module(name)\n"


def run(program: str) -> str:
    """What a fresh interpreter says, without any variable of ours or of an AWS SDK."""
    folders = [str(REPOSITORY / part) for part in ("layers/shared", "functions/predict", "functions/retrain")]
    environment = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(folders)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_serving_imports_nothing_that_only_training_needs() -> None:
    assert run(f"import importlib, sys\n{IMPORT}print(*[name for name in {HEAVY} if name in sys.modules])") == ""


def test_a_start_imports_nothing_that_predictions_do_not_need() -> None:
    late = ("fastapi", "mangum", "asyncio", "monitory_predict.views", "monitory_predict.factory_service")
    program = "import sys, monitory_predict.bootstrap, monitory_predict.function, monitory_predict.telemetry"
    assert run(f"{program}\nprint(*[name for name in {late} if name in sys.modules])") == ""


@pytest.mark.parametrize(("start", "drawn_with"), [("bootstrap", ()), ("backfill.read", ("jinja2",))])
def test_retrain_starts_without_what_only_learning_needs(start: str, drawn_with: tuple[str, ...]) -> None:
    heavy = ("imblearn", "lightgbm", "matplotlib", "pandas", "scipy", "sklearn", *drawn_with)
    assert run(f"import sys, monitory_retrain.{start}\nprint(*[n for n in {heavy} if n in sys.modules])") == ""


SPY = """
import importlib, os, sys
real, readers = os.environ, set()
class Spy:
    def __getattribute__(self, name):
        readers.add(sys._getframe(1).f_globals["__name__"])
        return getattr(real, name)
    def __getitem__(self, name):
        readers.add(sys._getframe(1).f_globals["__name__"])
        return real[name]
    def __contains__(self, name):
        readers.add(sys._getframe(1).f_globals["__name__"])
        return name in real
os.environ = Spy()
"""


def test_none_of_our_modules_reads_the_environment_at_import() -> None:
    report = "print(*(name for name in readers if name.startswith('monitory')), len(readers) > 0)"
    assert run(SPY + IMPORT + report) == "True"
