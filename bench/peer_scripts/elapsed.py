"""What a system took, from the first event that reached it to the last: shared by the scripts beside it."""

import json
import os
import time


class Took:
    """Starts with the first of `wanted` events, and ends the process with the last one."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.seen = 0
        self._began = self._cpu_began = 0.0

    def one(self, total: int = 0) -> None:
        """One more event has gone through; `total` is what all of them have come to, for whoever checks it."""
        if not self.seen:
            self._began, self._cpu_began = time.perf_counter(), time.process_time()
        self.seen += 1
        if self.seen == self.wanted:
            self.report(total)

    def report(self, total: int) -> None:
        """Print what was measured, and end at once: there is nothing to save."""
        seconds, cpu = time.perf_counter() - self._began, time.process_time() - self._cpu_began
        took = {"events": self.seen, "seconds": seconds, "cpu_seconds": cpu, "total": total}
        print(json.dumps(took), flush=True)
        os._exit(0)
