"""What is written is whole or not there: a file beside its final name, synced, then renamed; a stream all at once."""

import errno
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from files.byte_streams import ReaderGone, is_stream, open_stream
from files.errors import FileError


@dataclass
class Draft:
    """What nobody can see yet: write to `sink`, then `publish` it, or let it go."""

    sink: BinaryIO
    publish: Callable[[], None]


@contextmanager
def staged_file(path: Path) -> Iterator[Draft]:
    """A draft of `path`; what was not published by the end of the block is removed.

    A file appears whole and synced. One that is there already is replaced and its mode kept; a new one is its owner's
    alone, since it may name people. A link stays, and what it leads to is replaced. A stream (a FIFO, a device, an open
    descriptor, `-`) is sent all of the draft when it is published. Raises FileError when the disk is full or the place
    cannot be written, ReaderGone when nobody reads the stream any more.
    """
    with _as_file_errors(path), _stream_draft(path) if is_stream(path) else _file_draft(path) as file:
        yield file


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """A sink whose bytes appear under `path`, all at once, when the block ends without an error (see `staged_file`)."""
    with staged_file(path) as file:
        yield file.sink
        file.publish()


@contextmanager
def flowing(path: Path) -> Iterator[BinaryIO]:
    """A sink for what need not be held back: a stream gets it as it comes; a file, in a folder that is there, is whole
    or not there."""
    if is_stream(path):
        with _as_file_errors(path), _to_readers(), open_stream(path) as sink:
            yield sink
        return
    with _as_file_errors(path):
        path.parent.stat()
    with atomic_write(path) as sink:
        yield sink


def holds_something(path: Path) -> bool:
    """Whether writing there would replace something: a file that is not empty."""
    return not is_stream(path) and path.exists() and path.stat().st_size > 0


@contextmanager
def _stream_draft(path: Path) -> Iterator[Draft]:
    """Opened at once, so that a reader who waits learns that nothing comes when the draft is let go."""
    with open_stream(path) as stream, tempfile.TemporaryFile() as spool:

        def publish() -> None:
            spool.seek(0)
            with _to_readers():
                shutil.copyfileobj(spool, stream)
                stream.flush()

        yield Draft(spool, publish)


@contextmanager
def _file_draft(path: Path) -> Iterator[Draft]:
    if path.is_dir():
        raise FileError(f"Cannot write {path}: it is a folder", "Name a file in it.")
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(".partial", f".{target.name[:100]}.", target.parent)
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as sink:
            _look_alike(descriptor, target)

            def publish() -> None:
                sink.flush()
                os.fsync(descriptor)
                partial.replace(target)
                _sync_folder(target.parent)

            yield Draft(sink, publish)
    finally:
        _remove(partial)


def _look_alike(descriptor: int, target: Path) -> None:
    """Give the draft the mode of the file that it will replace, and its owner where that is allowed."""
    try:
        before = target.stat()
    except FileNotFoundError:
        return
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    with suppress(PermissionError):
        os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode))


@contextmanager
def _to_readers() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone(*error.args) from error


@contextmanager
def _as_file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, ConnectionError | TimeoutError):
            raise
        left = "the reader has only a part" if is_stream(path) else "nothing was left half written"
        raise FileError(
            f"Cannot write {path}: {(error.strerror or str(error)).lower()}",
            f"Free some space or choose another place; {left}.",
        ) from error


@contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
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
    with atomic_write(path) as sink:
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
