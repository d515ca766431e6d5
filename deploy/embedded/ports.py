"""TCP ports on the loopback interface: free ones, and the same ones at the next start."""

import json
import os
import socket
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from random import SystemRandom
from typing import Any

from files.atomic_files import write_json
from files.locks import try_lock

HOST = "127.0.0.1"


FIRST_PORT = 10_000
CLIENT_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port(preferred: int = 0, host: str = HOST) -> int:
    """Return `preferred` if nothing listens there, else a free port that the system gives to no client.

    The port is free when this returns, but not reserved, and neither is it between two starts of a stack. A port from
    the range of outgoing connections could be taken by any of them, so others come first. `KeptPorts` reserves the
    ports that it chooses.
    """
    for candidate in chain([preferred] if preferred else [], _ports_of_no_client(), [0]):
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


def _ports_of_no_client() -> Iterator[int]:
    """Yield some ports below those of outgoing connections, by chance, so that two processes choose different ones."""
    try:
        end = int(CLIENT_PORTS.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        end = 32_768
    if end >= FIRST_PORT + 1_000:
        yield from SystemRandom().sample(range(FIRST_PORT, end), 20)


def is_free(port: int) -> bool:
    """Return True if nothing listens on this port of 127.0.0.1."""
    return free_port(port) == port


class NotKept(ValueError):
    """A file that the stack keeps for its next start is damaged."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is damaged: fix it, or move it away and `tally up` creates a new one")


def read_kept(path: Path) -> dict[str, Any]:
    """Return the JSON object in `path`, empty if the file does not exist. Raises NotKept for any other content."""
    try:
        kept = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise NotKept(path) from error
    if not isinstance(kept, dict):
        raise NotKept(path)
    return kept


class KeptPorts:
    """The ports of one data directory, kept in `ports.json` so that links stay valid over restarts.

    A chosen port is reserved until `close`, or until this process ends: another start by this user, in another
    directory, does not choose it in the seconds before anything listens there.
    """

    def __init__(self, directory: Path, locks: Path | None = None) -> None:
        """`locks` is the folder of the files that reserve ports, the same for all directories of a user."""
        self._file = directory / "ports.json"
        self._locks = locks or Path.home() / ".cache" / "tally" / "ports"
        self._held: list[int] = []

    def choose(self, name: str, preferred: int) -> int:
        """Return the port that `name` had last time if it is free, else `preferred`, else any free one."""
        kept = self._read()
        wanted = [kept[name]] if name in kept else []
        for candidate in chain(wanted, (preferred,), repeat(0)):
            port = free_port(candidate)
            if port == (candidate or port) and self._hold(port):
                write_json(self._file, {**kept, name: port})
                return port
        raise AssertionError("the candidates do not end")

    def close(self) -> None:
        """Release all ports."""
        while self._held:
            os.close(self._held.pop())

    def _hold(self, port: int) -> bool:
        """Reserve the port; return False if another start, or another part of this one, has reserved it."""
        self._locks.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark = os.open(self._locks / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not try_lock(mark):
            os.close(mark)
            return False
        self._held.append(mark)
        return True

    def _read(self) -> dict[str, int]:
        kept = read_kept(self._file)
        if not all(isinstance(port, int) and 0 < port < 65536 for port in kept.values()):
            raise NotKept(self._file)
        return kept
