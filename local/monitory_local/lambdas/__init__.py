"""The real Lambda handlers, called in this process: `handlers` as Lambda calls them, `invoke` and `check_lake` from a
terminal.
"""

from monitory_local.lambdas.handlers import (
    EVENTS,
    Event,
    LocalContext,
    get_event,
    predict,
    predict_event,
    retrain,
    score,
    set_defaults,
)

__all__ = [
    "EVENTS",
    "Event",
    "LocalContext",
    "get_event",
    "predict",
    "predict_event",
    "retrain",
    "score",
    "set_defaults",
]
