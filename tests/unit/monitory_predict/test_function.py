"""What the function imports before it can answer."""

import subprocess
import sys

START = """
import sys
import monitory_predict.bootstrap, monitory_predict.telemetry
from monitory_predict import function
print(sorted({"fastapi", "mangum", "starlette"} & sys.modules.keys()))
"""


def test_plain_predictions_need_no_web_framework() -> None:
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
