"""Makes a cold start quicker; what each line saves was measured, see `benchmarks.cold_start`."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_start() -> Iterator[None]:
    """For all imports of the function, its own included.

    What an import makes stays, so looking for garbage meanwhile is in vain (50 of 650 ms of CPU). pydantic builds the
    validator of a model when it's first used instead of when it is declared (130 ms): FastAPI declares some 40 for the
    OpenAPI document. It doesn't look for plugins in each installed package (20 ms).
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "true")
    gc.disable()
    from pydantic import BaseModel

    BaseModel.model_config["defer_build"] = True
    try:
        yield
    finally:
        del BaseModel.model_config["defer_build"]
        gc.enable()
        gc.freeze()
