"""One stack per data directory: the lock that enforces it, and the files with its processes and settings."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.embedded.ports import KeptPorts
from files.atomic_files import staged_file, write_json
from files.locks import is_locked, try_lock, wait_for_lock
from sinks.datetimes import rfc3339


class StackRunning(RuntimeError):
    """The directory's stack is already running; `pid` is its supervisor, `urls` are its addresses."""

    def __init__(self, directory: Path, pid: int, urls: Mapping[str, str]) -> None:
        where = ", ".join(f"{name} {url}" for name, url in urls.items())
        super().__init__(f"already running in {directory}, pid {pid}" + (f": {where}" if where else ""))
        self.pid = pid
        self.urls = dict(urls)


@contextmanager
def hold_stack(directory: Path) -> Iterator[KeptPorts]:
    """Lock the directory for one supervisor and yield its ports.

    Raises StackRunning, with nothing changed, if another process has the lock. The lock ends with its process, however
    that ends.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(PermissionError):  # another user's folder stays unchanged
        directory.chmod(0o700)
    with (directory / "stack.lock").open("a+") as lock:
        if not try_lock(lock):
            lock.seek(0)
            urls = {name: child["url"] for name, child in read_stack(directory).items() if child["url"]}
            raise StackRunning(directory, int(lock.read() or 0), urls)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        (directory / "stack.json").unlink(missing_ok=True)  # left by a supervisor that was killed
        try:
            with closing(KeptPorts(directory)) as ports:
                yield ports
        finally:
            (directory / "stack.json").unlink(missing_ok=True)


def write_stack(directory: Path, children: Mapping[str, Mapping[str, object]]) -> None:
    """Publish the running processes: `children` maps a name to its `pid`, `url`, `healthy` and `restarts`."""
    stack = {"pid": os.getpid(), "written_at": rfc3339(datetime.now(UTC)), "children": children}
    write_json(directory / "stack.json", stack)


def read_stack(directory: Path) -> dict[str, dict[str, Any]]:
    """Return the children of the running stack by name, as given to `write_stack`; none if no stack runs."""
    try:
        children: dict[str, dict[str, Any]] = json.loads((directory / "stack.json").read_text())["children"]
    except FileNotFoundError:
        return {}
    return children


@contextmanager
def publish_settings(directory: Path, texts: Mapping[str, str | None]) -> Iterator[None]:
    """Publish `texts` for `read_settings` within the block, in `settings.json`, which only its owner can read, because
    it contains secrets.

    The file is locked for as long as its stack lives, and from before it has its name. The lock ends with the process,
    however that ends, so the file of a killed stack is recognized.
    """
    path = directory / "settings.json"
    path.unlink(missing_ok=True)
    with staged_file(path) as file:
        held = os.fdopen(os.dup(file.sink.fileno()))  # the lock belongs to the open file, which this keeps open
        wait_for_lock(held)
        file.sink.write(json.dumps(texts, indent=2).encode() + b"\n")
        file.publish()
    with held:
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def read_settings(directory: Path) -> dict[str, str | None] | None:
    """Return the settings that the stack running over the directory has published; None if no stack runs."""
    try:
        file = (directory / "settings.json").open()
    except FileNotFoundError:
        return None
    with file:
        texts: dict[str, str | None] | None = json.load(file) if is_locked(file) else None
        return texts
