"""The embedded ClickHouse as a child process."""

import sys
import urllib.error
import urllib.request
from pathlib import Path

from deploy.embedded.child import Child
from deploy.embedded.ports import HOST


def clickhouse_child(data: Path, port: int, *, user: str = "default", password: str = "", memory: int = 0) -> Child:
    """Return the command of a ClickHouse engine over the directory `data` on http://127.0.0.1:`port`.

    `memory` limits the engine, in bytes; 0 is 40 % of the machine's memory, which is also the maximum.
    """
    server = [sys.executable, "-m", "deploy.embedded.clickhouse_server"]
    return Child(
        name="clickhouse",
        command=(*server, "--path", str(data.resolve()), "--port", str(port), "--memory", str(memory)),
        # In the environment, because anyone on the machine can read a command line.
        env={"CLICKHOUSE_USER": user, "CLICKHOUSE_PASSWORD": password},
        ready=lambda: answers(port),
        url=f"http://{HOST}:{port}",
    )


def answers(port: int, timeout: float = 1) -> bool:
    """Return True if a ClickHouse server on 127.0.0.1:`port` answers its ping."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/ping", timeout=timeout) as response:
            return bool(response.read() == b"Ok.\n")
    except (OSError, urllib.error.URLError):
        return False
