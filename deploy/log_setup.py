"""What a process logs: one record a line, and no character that could steer a terminal or forge another line."""

import logging
import sys
from typing import Any

from deploy.errors import printable

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class Escaped(logging.Formatter):
    """Spells out what does not print; a traceback keeps its lines, each moved in, so that none passes for a record."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The record's line."""
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        """The lines of a traceback."""
        return _moved_in(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        """The lines of a stack."""
        return _moved_in(super().formatStack(stack_info))


def log_to_stderr(*filters: logging.Filter) -> None:
    """Log from INFO on to stderr, through `filters`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Escaped(FORMAT))
    for each in filters:
        handler.addFilter(each)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def log_last_resort() -> None:
    """Escape what is logged where nothing was set up, as in most commands."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(Escaped())


def _moved_in(text: str) -> str:
    return "\n".join(f"    {printable(line)}" for line in text.split("\n"))
