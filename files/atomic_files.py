"""Atomic writes: a file is written next to its final name, synced and renamed; a stream receives it all at the end."""

import errno
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
    """Output that is not visible yet: write to `sink`, then call `publish`; without it the output is discarded."""

    sink: BinaryIO
    publish: Callable[[], None]


@contextmanager
def staged_file(path: Path) -> Iterator[Draft]:
    """Yield a draft of `path`; an unpublished draft is removed at the end of the block.

    A file appears whole and synced. An existing file is replaced and its mode kept; a new file is accessible only to
    its owner, because it may contain names. A symbolic link stays and its target is replaced. A stream (a FIFO, a
    device, an open descriptor, `-`) receives the whole draft on publish. Raises FileError if the disk is full or the
    path cannot be written, ReaderGone if the reader has closed the stream.
    """
    with _as_file_errors(path), _stream_draft(path) if is_stream(path) else _file_draft(path) as file:
        yield file


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Yield a sink whose bytes appear under `path`, all at once, if the block ends without an error (see
    `staged_file`)."""
    with staged_file(path) as file:
        yield file.sink
        file.publish()


@contextmanager
def flowing(path: Path) -> Iterator[BinaryIO]:
    """Yield a sink for output that need not be held back.

    A stream receives it as it is written. A file appears whole or not at all; its folder must exist.
    """
    if is_stream(path):
        with _as_file_errors(path), _to_readers(), open_stream(path) as sink:
            yield sink
        return
    with _as_file_errors(path):
        path.parent.stat()
    with atomic_write(path) as sink:
        yield sink


def holds_something(path: Path) -> bool:
    """Return True if writing to `path` would replace content: it is a file that is not empty."""
    return not is_stream(path) and path.exists() and path.stat().st_size > 0


@contextmanager
def _stream_draft(path: Path) -> Iterator[Draft]:
    """Yield a spooled draft. The stream is opened first, so that a waiting reader sees its end if the draft is
    discarded."""
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
    """Give the draft the mode of the file that it will replace, and its owner where that is permitted."""
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
        left = "the reader has received only a part" if is_stream(path) else "no partial file was left"
        raise FileError(
            f"Cannot write {path}: {(error.strerror or str(error)).lower()}",
            f"Free some space or choose another path; {left}.",
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write `text`, whole or not at all."""
    with atomic_write(path) as sink:
        sink.write(text.encode())


def write_json(path: Path, value: object) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    with atomic_write(path) as sink:
        sink.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def clear_partials(folder: Path) -> None:
    """Remove the partial files of a killed writer from `folder` and below. Only for a folder with a single writer."""
    for partial in folder.rglob(".*.partial"):
        _remove(partial)


def _remove(partial: Path) -> None:
    """Remove the file if it exists. Errors are ignored, because one here would hide the error being reported."""
    try:
        partial.unlink(missing_ok=True)
    except OSError:
        return


def _sync_folder(folder: Path) -> None:
    """Sync the folder, so that the rename itself survives a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
