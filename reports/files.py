"""Files that are whole or not there: written beside their final name, synced, then renamed."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from reports.errors import FileError


@dataclass
class Draft:
    """A file that nobody can see yet: write to `sink`, then `publish` it under its final name, or let it go."""

    path: Path
    partial: Path
    sink: BinaryIO

    def publish(self) -> None:
        """Make it appear, whole and synced; an existing file is replaced."""
        self.sink.flush()
        os.fsync(self.sink.fileno())
        self.partial.replace(self.path)
        _sync_folder(self.path.parent)


@contextmanager
def draft(path: Path) -> Iterator[Draft]:
    """A draft of `path`; what was not published by the end of the block is removed.

    Raises FileError when the disk is full or the folder cannot be written.
    """
    if path.is_dir():
        raise FileError(f"Cannot write {path}: it is a folder", "Name a file in it.")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as sink:
            yield Draft(path, partial, sink)
    except OSError as error:
        if isinstance(error, ConnectionError | TimeoutError):
            raise
        raise FileError(
            f"Cannot write {path}: {(error.strerror or str(error)).lower()}",
            "Free some space or choose another place; nothing was left half written.",
        ) from error
    finally:
        _remove(partial)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A sink whose bytes appear under `path`, all at once, when the block ends without an error (see `draft`)."""
    with draft(path) as file:
        yield file.sink
        file.publish()


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Hold the folder for this process alone. Raises FileError when another one holds it or it cannot be made."""
    lock = folder / ".lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise FileError(
            f"Cannot write to {folder}: {(error.strerror or str(error)).lower()}", "See the setting reports_dir."
        ) from error
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    """The lock goes with the process, so a killed worker leaves none behind."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FileError(f"Another export worker writes to {folder}", "One is enough: stop the other.") from None


def write_json(path: Path, value: object) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    with whole_file(path) as sink:
        sink.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def clear_partials(folder: Path) -> None:
    """Remove what a killed writer left half written in `folder` and below. Only for a folder with one writer."""
    for partial in folder.rglob(".*.partial"):
        _remove(partial)


def _remove(partial: Path) -> None:
    """Remove it if it is there. An error here would hide the one that is being told."""
    try:
        partial.unlink(missing_ok=True)
    except OSError:
        return


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
