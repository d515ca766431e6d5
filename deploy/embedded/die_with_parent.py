"""Run a program that ends when the process that started it ends.

Called as a script: `python bound.py PARENT_PID PROGRAM ARGUMENT...`. It requests that the kernel kill this process when
its parent dies, and then becomes the program, so no process is added. Otherwise a supervisor that is killed would leave
a Kafka and a ClickHouse behind, which keep the data directory locked. The request is Linux's; on other systems the
program just runs.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Tie this process to `parent` (a process id) and become `command`. Does not return."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the request
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
