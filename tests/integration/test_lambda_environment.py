"""Both handlers start with the variables that Lambda sets and no others: no endpoint above all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LAMBDA = {
    "AWS_REGION": "ap-northeast-2",
    "AWS_DEFAULT_REGION": "ap-northeast-2",
    "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_SESSION_TOKEN": "example",
    "AWS_LAMBDA_FUNCTION_NAME": "function",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    "LAMBDA_TASK_ROOT": "/var/task",
    "TZ": ":UTC",
    # of this test alone: nothing leaves this machine
    "HTTPS_PROXY": "http://127.0.0.1:9",
}


@pytest.mark.parametrize("function", ["predict", "retrain"])
def test_a_handler_starts_as_on_lambda(function: str) -> None:
    folders = [REPOSITORY / "layers/shared", REPOSITORY / f"functions/{function}"]
    environment = {**LAMBDA, "PATH": os.defpath, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    program = f"from monitory_{function} import handler; print(callable(handler.lambda_handler))"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "True"
