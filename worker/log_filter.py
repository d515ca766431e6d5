"""Rate limit for log lines: while a server is unavailable, aiokafka logs the same line fifty times a second."""

import logging
import time
from collections.abc import Callable

Key = tuple[str, int, str]


class RateLimitFilter(logging.Filter):
    """Pass the same line of a library (logger, level, text before its arguments) once in `seconds`.

    The next line that passes ends with the number of dropped ones. Lines of Tally itself and lines with a traceback
    always pass.
    """

    def __init__(self, seconds: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds = seconds
        self._clock = clock
        self._last: dict[Key, float] = {}
        self._held: dict[Key, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True if the line is to be written."""
        if record.name.startswith("tally") or record.exc_info or record.levelno < logging.WARNING:
            return True
        key = (record.name, record.levelno, str(record.msg))
        now = self._clock()
        if now - self._last.get(key, -self._seconds) < self._seconds:
            self._held[key] = self._held.get(key, 0) + 1
            return False
        self._last[key] = now
        held = self._held.pop(key, 0)
        if held:
            record.msg, record.args = f"{record.getMessage()} (and {held} more like it)", None
        return True
