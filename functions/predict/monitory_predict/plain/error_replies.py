"""What callers are told of an error: one table from errors to statuses and texts."""

from typing import NamedTuple

from monitory import errors
from monitory.log import Logger

NO_MODEL = "no model has been promoted yet"
MODEL_REFUSED = "the model cannot be used"
STORAGE_FAILS = "the storage does not answer; try again"
TOO_LARGE = "an object of the storage is too large to be used"

RETRY_AFTER_SECONDS = 30


class ErrorReply(NamedTuple):
    """The answer to an error: a status, and a fixed text or None for the error's own words."""

    status: int
    text: str | None = None

    def detail(self, error: Exception) -> str:
        """What the caller reads."""
        return self.text or str(error)

    @property
    def headers(self) -> dict[str, str] | None:
        """Headers of its own."""
        return {"Retry-After": str(RETRY_AFTER_SECONDS)} if self.status == 503 else None

    def log(self, error: Exception, log: Logger) -> None:
        """Write the cause down, which of a 5xx nobody else is told."""
        (log.error if self.status >= 500 else log.info)("%s: %s", type(error).__name__, error)


ERROR_REPLIES: dict[type[errors.MonitoryError], ErrorReply] = {
    errors.InvalidIdentifier: ErrorReply(422),
    errors.InvalidRecord: ErrorReply(422),
    errors.NotPermitted: ErrorReply(403),
    errors.Conflict: ErrorReply(409),
    errors.NoData: ErrorReply(404),
    errors.UnknownVersion: ErrorReply(404),
    errors.NoModel: ErrorReply(503, NO_MODEL),
    errors.BrokenModel: ErrorReply(503, MODEL_REFUSED),
    errors.StorageError: ErrorReply(503, STORAGE_FAILS),
    errors.ObjectTooLarge: ErrorReply(503, TOO_LARGE),
}
"""Errors that are neither listed nor below one that is are defects, 500. The cause of a 5xx goes to the log only."""


def reply_to(error: errors.MonitoryError) -> ErrorReply | None:
    """The reply to an error by the table, that of the nearest class above it; None for a defect.

    >>> reply_to(errors.StaleData("2 hours old")).status
    404
    """
    return next((ERROR_REPLIES[kind] for kind in type(error).__mro__ if kind in ERROR_REPLIES), None)
