"""Locks between processes. A lock belongs to an open file and ends with it, so a killed process leaves none behind."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from files.errors import FileError


def try_lock(file: int | IO[str]) -> bool:
    """Lock an open file for as long as it is open; return False if another process has locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for_lock(file: int | IO[str]) -> None:
    """Lock an open file for as long as it is open, once no other process has locked it."""
    fcntl.flock(file, fcntl.LOCK_EX)


def is_locked(file: IO[str]) -> bool:
    """Return True if another process has locked the file; otherwise no process can lock it until `file` is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


@contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
    """Lock the folder for this process. Raises FileError if another process has locked it or it cannot be created."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise FileError(
            f"Cannot write to {folder}: {(error.strerror or str(error)).lower()}", "Check the setting reports_dir."
        ) from error
    try:
        if not try_lock(descriptor):
            raise FileError(f"Another export worker writes to {folder}", "Only one may run: stop the other one.")
        yield
    finally:
        os.close(descriptor)
