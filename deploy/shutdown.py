"""Graceful shutdown of a process, within a time limit whatever is unavailable or hangs."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable

from deploy.errors import ExitCode

logger = logging.getLogger("tally.ending")

END_SECONDS = 9.0
"""The time limit of a graceful shutdown. The documentation promises 10 s, and a supervisor often kills after 10 s."""


class Ending:
    """Handles SIGTERM and SIGINT once `heed` is called.

    The first signal calls `begin`; END_SECONDS later the process exits with the result of `code`. A second one exits
    immediately. Both are safe at any instant, as a kill is: what was not written is read again.
    """

    def __init__(self) -> None:
        self.begin: Callable[[], None] = lambda: leave(ExitCode.OK)
        self.code: Callable[[], int] = lambda: ExitCode.OK
        self._was_told = False

    def heed(self) -> None:
        """Install the handlers. Call it in the main thread, which must not block where signals do not interrupt it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.told())

    def told(self) -> None:
        """Handle a signal."""
        if self._was_told:
            leave(ExitCode.INTERRUPTED)
        self._was_told = True
        threading.Thread(target=self._watch, daemon=True).start()
        self.begin()

    def _watch(self) -> None:
        time.sleep(END_SECONDS)
        telling = threading.Thread(target=self._tell, daemon=True)
        telling.start()
        telling.join(0.3)  # the reader of the log may hang too
        leave(self.code())

    def _tell(self) -> None:
        logger.warning("graceful shutdown took more than %g s, exiting now", END_SECONDS)


def leave(code: int) -> None:
    """End the process now, whatever its threads wait for."""
    os._exit(code)
