"""What is no plain file: pipes, FIFOs, devices, descriptors and links, written and read."""

import os
import resource
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from files.atomic_files import atomic_write, flowing, staged_file
from files.byte_streams import INPUT, OUTPUT, STANDARD, ReaderGone, descriptor_of, is_stream, open_to_read
from files.errors import FileError

TEXT = b"date,total\r\n" * 100_000


def everything_of(fifo: Path, found: list[bytes]) -> threading.Thread:
    """A reader of the FIFO, in a thread of its own."""
    reader = threading.Thread(target=lambda: found.append(fifo.read_bytes()))
    reader.start()
    return reader


Write = Callable[[Path], AbstractContextManager[BinaryIO]]


def python(code: str, *more: str, **options: Any) -> "subprocess.CompletedProcess[bytes]":
    """Python code that has `staged_file`, `flowing` and `Path`, as a process of its own."""
    head = "import sys; from pathlib import Path; from files.atomic_files import atomic_write, flowing, staged_file\n"
    return subprocess.run([sys.executable, "-c", head + code, *more], check=False, timeout=60, **options)


@pytest.mark.parametrize("write", [atomic_write, flowing])
def test_a_fifo_stays_and_its_reader_gets_all(write: Write, tmp_path: Path) -> None:
    fifo, found = tmp_path / "p.csv", list[bytes]()
    os.mkfifo(fifo)
    reader = everything_of(fifo, found)
    with write(fifo) as sink:
        sink.write(TEXT)
    reader.join(30)
    assert (found, fifo.is_fifo()) == ([TEXT], True)
    assert [each.name for each in tmp_path.iterdir()] == ["p.csv"]


def test_the_reader_of_a_draft_that_was_let_go_is_told_that_nothing_comes(tmp_path: Path) -> None:
    fifo, found = tmp_path / "p.csv", list[bytes]()
    os.mkfifo(fifo)
    reader = everything_of(fifo, found)
    with staged_file(fifo) as file:
        file.sink.write(TEXT)
    reader.join(30)
    assert found == [b""]


@pytest.mark.parametrize("write", [atomic_write, flowing])
def test_a_reader_that_goes_away_is_not_a_broken_connection(write: Write, tmp_path: Path) -> None:
    fifo = tmp_path / "p.csv"
    os.mkfifo(fifo)
    readers = [threading.Thread(target=lambda: os.close(os.open(fifo, os.O_RDONLY)))]
    readers[0].start()

    def talk() -> None:
        with write(fifo) as sink:
            readers[0].join(30)
            for _ in range(100):
                sink.write(TEXT)

    with pytest.raises(ReaderGone):
        talk()


@pytest.mark.parametrize("write", [atomic_write, flowing])
def test_a_full_device_is_told(write: Write) -> None:
    def talk() -> None:
        with write(Path("/dev/full")) as sink:
            sink.write(TEXT)

    with pytest.raises(FileError, match="Cannot write /dev/full: no space left on device"):
        talk()
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


@pytest.mark.parametrize("name", ["/dev/null", "-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/stderr"])
def test_devices_and_descriptors_are_streams(name: str) -> None:
    assert is_stream(Path(name))


@pytest.mark.parametrize("name", ["x.csv", ".", "/dev", "/proc/1/fd", "/dev/fd/1/x"])
def test_files_and_folders_are_none(name: str, tmp_path: Path) -> None:
    assert not is_stream(tmp_path / name)


def test_a_link_to_a_descriptor_is_that_descriptor(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/dev/stdout")
    (tmp_path / "again").symlink_to("out")
    (tmp_path / "loop").symlink_to("loop")
    assert descriptor_of(tmp_path / "again", OUTPUT) == 1
    assert descriptor_of(tmp_path / "loop", OUTPUT) is None
    assert (descriptor_of(STANDARD, INPUT), descriptor_of(STANDARD, OUTPUT)) == (0, 1)


def test_what_a_shell_opened_for_several_commands_is_written_on_from_where_it_stands(tmp_path: Path) -> None:
    both = tmp_path / "both.csv"
    code = (
        "for name in ('-', '/dev/stdout', '/dev/fd/1'):\n"
        " with atomic_write(Path(name)) as sink: sink.write(name.encode() + b';')"
    )
    with both.open("wb") as stdout:
        stdout.write(b"head;")
        stdout.flush()
        python(code, stdout=stdout)
        python(code, stdout=stdout)
    assert both.read_bytes() == b"head;" + 2 * b"-;/dev/stdout;/dev/fd/1;"


def test_a_standard_stream_that_is_closed_is_no_other_file() -> None:
    code = (
        "try:\n with atomic_write(Path('-')) as sink: sink.write(b'x')\n"
        "except Exception as error: sys.stderr.write(str(error))"
    )
    ended = python(code, stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1))
    assert ended.stderr == b"Cannot write -: the descriptor is closed"


@pytest.mark.parametrize("name", ["-", "/dev/stdin", "/dev/fd/0"])
def test_standard_input_is_read_from_where_it_stands(name: str, tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(b"1\n2\n3\n")
    code = (
        "import os; os.read(0, 2); from files.byte_streams import open_to_read\n"
        "sys.stdout.buffer.write(open_to_read(Path(sys.argv[1])).read())"
    )
    with (tmp_path / "lines").open("rb") as lines:
        assert python(code, name, stdin=lines, stdout=subprocess.PIPE).stdout == b"2\n3\n"
    assert python(code, name, input=b"1\n2\n3\n", stdout=subprocess.PIPE).stdout == b"2\n3\n"


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing"):
        open_to_read(tmp_path / "nothing")
    with pytest.raises(OSError, match="/dev/fd/987"):
        open_to_read(Path("/dev/fd/987"))


@pytest.mark.parametrize("depth", [1, 2])
def test_a_link_stays_and_what_it_leads_to_is_replaced(depth: int, tmp_path: Path) -> None:
    real, folder = tmp_path / "real.csv", tmp_path / "folder"
    folder.mkdir()
    real.write_bytes(b"old")
    (folder / "1.csv").symlink_to("../real.csv")
    (folder / "2.csv").symlink_to("1.csv")
    with atomic_write(folder / f"{depth}.csv") as sink:
        sink.write(b"new")
    assert (real.read_bytes(), real.is_symlink()) == (b"new", False)
    assert (folder / f"{depth}.csv").is_symlink()


def test_a_link_to_nothing_yet_gets_its_file(tmp_path: Path) -> None:
    (tmp_path / "l.csv").symlink_to("later/real.csv")
    with atomic_write(tmp_path / "l.csv") as sink:
        sink.write(b"new")
    assert (tmp_path / "later" / "real.csv").read_bytes() == b"new"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o777])
def test_a_file_keeps_its_mode_and_owner(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.touch()
    path.chmod(mode)
    if os.getuid() == 0:
        os.chown(path, 1234, 4321)
    before = path.stat()
    with atomic_write(path) as sink:
        sink.write(b"new")
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    for name, write in (("a", atomic_write), ("b", flowing)):
        with write(tmp_path / name) as sink:
            sink.write(b"new")
    assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()} == {0o600}


def test_a_disk_that_is_full_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    """A limit of the size of files stands for the disk: both are an error of a write."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"old")
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try:\n with atomic_write(Path(sys.argv[1])) as s: s.write(b'x' * 100_000)\n"
        "except Exception as e: print(e, e.hint)"
    )
    limit = (10_000, resource.RLIM_INFINITY)
    ended = python(
        code,
        str(path),
        stdout=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )
    assert b"Cannot write" in ended.stdout
    assert b"no partial file was left" in ended.stdout
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a.csv", b"old")]
