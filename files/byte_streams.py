"""Input and output that is not a plain file: `-`, open descriptors, FIFOs and devices."""

import errno
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from files.errors import FileError

STANDARD = Path("-")
"""Standard input when reading, standard output when writing."""

INPUT, OUTPUT = 0, 1
BUFFER = 1 << 20
_DESCRIPTORS = re.compile(r"/proc/(\d+)(?:/task/\d+)?/fd")
_MOST_LINKS = 40


class ReaderGone(BrokenPipeError):
    """The reader has closed the stream, as `head` does when it has read enough."""


def descriptor_of(path: Path, standard: int) -> int | None:
    """Return the descriptor of this process that `path` names, or None: `standard` for `-`, 0 for /dev/stdin, 3 for
    /dev/fd/3.

    A descriptor is read and written from its current offset: a file that a shell has opened for several commands must
    not be truncated by each of them.
    """
    if path == STANDARD:
        return standard
    for _ in range(_MOST_LINKS):
        folder = Path(os.path.realpath(path.parent))
        found = _DESCRIPTORS.fullmatch(str(folder))
        if found and int(found[1]) == os.getpid() and path.name.isdecimal():
            return int(path.name)
        if not path.is_symlink():
            return None
        path = folder / path.readlink()
    return None


def is_stream(path: Path) -> bool:
    """Return True if output to `path` cannot be replaced later: it names a descriptor, a FIFO or a device."""
    if descriptor_of(path, OUTPUT) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def open_to_read(path: Path) -> BinaryIO:
    """Open `path` for reading; a descriptor is read from its current offset. Raises OSError with the path in it."""
    with naming(path):
        descriptor = descriptor_of(path, INPUT)
        return path.open("rb", BUFFER) if descriptor is None else os.fdopen(_copy_of(descriptor), "rb", BUFFER)


def open_stream(path: Path) -> BinaryIO:
    """Open the stream `path` for writing; a FIFO blocks until it has a reader. Raises OSError, and FileError for a
    disk."""
    descriptor = descriptor_of(path, OUTPUT)
    if descriptor is not None:
        return os.fdopen(_copy_of(descriptor), "wb")
    if not (path.is_fifo() or path.is_char_device()):
        raise FileError(f"Cannot write {path}: it is a disk or a socket", "Name a file, a pipe or a terminal.")
    return os.fdopen(os.open(path, os.O_WRONLY), "wb")


def is_regular(stream: BinaryIO) -> bool:
    """Return True if it is a regular file, which has a size and can be read again."""
    return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Add the path to an OSError that lacks one, so that the message names the file."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def _copy_of(descriptor: int) -> int:
    """Duplicate a descriptor.

    A standard descriptor that was closed when the process started may have been reused by another file; it is rejected.
    """
    if descriptor < 3 and (sys.__stdin__, sys.__stdout__, sys.__stderr__)[descriptor] is None:
        raise OSError(errno.EBADF, "the descriptor is closed")
    return os.dup(descriptor)
