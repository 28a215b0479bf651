"""Logging by Powertools: JSON, or text with or without emoji."""

import logging

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import BasePowertoolsFormatter, LambdaPowertoolsFormatter

from monitory.settings import Settings

__all__ = ["Logger", "TextFormatter", "logger"]

_EMOJI = {"DEBUG": "🔍", "INFO": "✅", "WARNING": "⚠️", "ERROR": "❌", "CRITICAL": "🔥"}


class TextFormatter(BasePowertoolsFormatter):
    """One readable line a record: time, level, message, then fields, the service first."""

    _STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "location", "service", "name"}

    def __init__(self, *, emoji: bool) -> None:
        """A formatter without fields; Powertools adds the service's name."""
        super().__init__()
        self._emoji = emoji
        self._keys: dict[str, object] = {}

    def append_keys(self, **additional_keys: object) -> None:
        """Add fields to every further line."""
        self._keys |= additional_keys

    def clear_state(self) -> None:
        """Remove the fields."""
        self._keys = {}

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        extra = {name: value for name, value in vars(record).items() if name not in self._STANDARD}
        fields = "".join(f" {name}={value}" for name, value in (self._keys | extra).items() if value is not None)
        mark = f"{_EMOJI.get(record.levelname, '')} " if self._emoji else ""
        line = f"{self.formatTime(record)} {record.levelname:<7} {mark}{record.getMessage()}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def logger(service: str, settings: Settings) -> Logger:
    """The logger of a function, by its settings."""
    formatter = (
        TextFormatter(emoji=settings.log_emoji)
        if settings.log_format == "TEXT"
        else LambdaPowertoolsFormatter(utc=True)
    )
    return Logger(service=service, level=settings.log_level, logger_formatter=formatter)
