"""Where bytes come from and go to when that is no plain file: `-`, open descriptors, FIFOs and devices."""

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
"""Standard input where a file is read, standard output where one is written."""

INPUT, OUTPUT = 0, 1
BUFFER = 1 << 20
_DESCRIPTORS = re.compile(r"/proc/(\d+)(?:/task/\d+)?/fd")
_MOST_LINKS = 40


class ReaderGone(BrokenPipeError):
    """Nobody reads any more what is being written, as when `head` has seen enough."""


def descriptor_of(path: Path, standard: int) -> int | None:
    """The descriptor of this process that `path` stands for: `standard` for `-`, 0 for /dev/stdin, 3 for /dev/fd/3.

    None for every other path. A descriptor is written and read at the place where it stands: a file that a shell has
    opened for several commands must not begin anew with each of them.
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
    """Whether what is written to `path` is gone with that: it names a descriptor, a FIFO or a device."""
    if descriptor_of(path, OUTPUT) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def open_to_read(path: Path) -> BinaryIO:
    """What is read from `path`, from where it stands. Raises OSError, which names the path."""
    with naming(path):
        descriptor = descriptor_of(path, INPUT)
        return path.open("rb", BUFFER) if descriptor is None else os.fdopen(_copy_of(descriptor), "rb", BUFFER)


def open_stream(path: Path) -> BinaryIO:
    """A sink that leads to the stream `path`; a FIFO waits for its reader. Raises OSError, FileError for a disk."""
    descriptor = descriptor_of(path, OUTPUT)
    if descriptor is not None:
        return os.fdopen(_copy_of(descriptor), "wb")
    if not (path.is_fifo() or path.is_char_device()):
        raise FileError(f"Cannot write {path}: it is a disk or a socket", "Name a file, a pipe or a terminal.")
    return os.fdopen(os.open(path, os.O_WRONLY), "wb")


def is_regular(stream: BinaryIO) -> bool:
    """Whether it is a plain file, of which more can be known than what was read."""
    return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the path into an OSError that does not know it, so that its reader is told of which file it is."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def _copy_of(descriptor: int) -> int:
    """Another descriptor of the same open file. One that was closed when the process began may be another's by now."""
    if descriptor < 3 and (sys.__stdin__, sys.__stdout__, sys.__stderr__)[descriptor] is None:
        raise OSError(errno.EBADF, "it is closed")
    return os.dup(descriptor)
