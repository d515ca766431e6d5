"""Logging of a process: one record per line, without characters that could control a terminal or forge a line."""

import logging
import sys
from typing import Any

from deploy.errors import printable

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class Escaped(logging.Formatter):
    """Escapes unprintable characters; the lines of a traceback are kept and indented, so that none is mistaken for a
    record."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        """Return the lines of a traceback."""
        return _moved_in(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        """Return the lines of a stack."""
        return _moved_in(super().formatStack(stack_info))


def log_to_stderr(*filters: logging.Filter) -> None:
    """Log records from INFO up to stderr, through `filters`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Escaped(FORMAT))
    for each in filters:
        handler.addFilter(each)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def log_last_resort() -> None:
    """Escape log records where logging is not set up, as in most commands."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(Escaped())


def _moved_in(text: str) -> str:
    return "\n".join(f"    {printable(line)}" for line in text.split("\n"))
