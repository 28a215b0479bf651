"""The functions of the retrain image on the emulator: the image's handlers, run from the image's files.

It lies in the function's zip and is imported by the emulator's worker, not by the tests.
"""

import importlib
import json
import os
import sys
from pathlib import Path

# A process that this function spawns would run the worker's script again, which has no main guard and waits for events.
vars(sys.modules["__main__"]).pop("__file__", None)

_image = json.loads(Path(__file__).with_name("image.json").read_text(encoding="utf-8"))
os.environ.update(_image["environment"])
sys.path.insert(0, _image["task_root"])

# a lake of a few machines is a large one, read in batches of two
_batches = importlib.import_module("monitory_retrain.ingest.backfill.batches")
for _name, _value in _image["batches"].items():
    setattr(_batches, _name, _value)


def __getattr__(name: str) -> object:
    """A handler of the image by its module's name, with lines for dots."""
    return importlib.import_module(name.replace("__", ".")).lambda_handler
