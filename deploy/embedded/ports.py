"""TCP ports on the loopback interface: free ones, and the same ones again at the next start."""

import json
import os
import socket
from pathlib import Path

HOST = "127.0.0.1"


def free_port(preferred: int = 0, host: str = HOST) -> int:
    """Return `preferred` if nobody listens there, else a free port the system picks.

    The port is free when this returns; it is not reserved.
    """
    for candidate in (preferred, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # Without this a port counts as taken for a minute after its last connection closed.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            port: int = probe.getsockname()[1]
            return port
    raise OSError(f"no free TCP port on {host}: close some programs that listen there and start again")


class KeptPorts:
    """The ports of one data directory, kept in `ports.json` so that links stay valid over restarts."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "ports.json"

    def choose(self, name: str, preferred: int) -> int:
        """Return the port `name` had last time if it is free, else `preferred`, else any free one."""
        kept = self._read()
        port = free_port(kept.get(name, preferred))
        if name in kept and port != kept[name]:
            port = free_port(preferred)
        write_atomically(self._file, json.dumps({**kept, name: port}, indent=2))
        return port

    def _read(self) -> dict[str, int]:
        if not self._file.exists():
            return {}
        return {str(name): int(port) for name, port in json.loads(self._file.read_text()).items()}


def write_atomically(path: Path, text: str) -> None:
    """Replace the file's content so that a reader, or a crash, sees the old text or the new, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text)
    partial.replace(path)
