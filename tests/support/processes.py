"""Processes that tests start: each ends when the test process ends, however that is (Ctrl-C, a time-out, kill -9).

`tests/unit/test_processes.py` holds that no test starts one in another way.
"""

import subprocess
from collections.abc import Sequence
from typing import Any

from deploy.embedded.child import bound


def start(command: Sequence[str], **options: Any) -> "subprocess.Popen[Any]":
    """subprocess.Popen of a command that dies with this process, and with the thread that calls this."""
    return subprocess.Popen(bound(command), **options)
