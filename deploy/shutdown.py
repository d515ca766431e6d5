"""How a process ends when it is told to: in good order if it can, within a bound whatever is away or hangs."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable

from deploy.errors import ExitCode

logger = logging.getLogger("tally.ending")

END_SECONDS = 9.0
"""How long an end in good order may take. Docs promise 10 s, and a supervisor often kills after as many."""


class Ending:
    """What SIGTERM and SIGINT do, from `heed` on.

    The first begins the end: it calls `begin`, and after END_SECONDS the process is gone, with what `code` says. A
    second one ends it at once. Both are safe at any instant, as a kill is: what was not written is read again.
    """

    def __init__(self) -> None:
        self.begin: Callable[[], None] = lambda: leave(ExitCode.OK)
        self.code: Callable[[], int] = lambda: ExitCode.OK
        self._was_told = False

    def heed(self) -> None:
        """Take the signals. Must run in the main thread, which must not block where signals do not reach."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.told())

    def told(self) -> None:
        """A signal has come."""
        if self._was_told:
            leave(ExitCode.INTERRUPTED)
        self._was_told = True
        threading.Thread(target=self._watch, daemon=True).start()
        self.begin()

    def _watch(self) -> None:
        time.sleep(END_SECONDS)
        telling = threading.Thread(target=self._tell, daemon=True)
        telling.start()
        telling.join(0.3)  # whoever reads the log may hang as well
        leave(self.code())

    def _tell(self) -> None:
        logger.warning("not ended in good order after %g s, so it is broken off", END_SECONDS)


def leave(code: int) -> None:
    """End the process now, whatever its threads wait for."""
    os._exit(code)
