"""Confinement of a process by the kernel (Landlock, since Linux 5.13): which files it may open, and no outgoing
connections.

A check in a program can be bypassed in a way that it did not foresee; the kernel's cannot.
"""

import ctypes
import os
import struct
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import deploy

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_ASK_VERSION, _PATH_BENEATH, _NO_NEW_PRIVILEGES = 1, 1, 38
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIRECTORY = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_READ = _EXECUTE | _READ_FILE | _READ_DIRECTORY
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15
_FILE_RIGHTS = {
    1: 13,
    2: 14,
    3: 15,
    4: 15,
}  # number of file access rights in a version of Landlock; 16 from version 5 on
_CONNECT = 1 << 1  # TCP connections, from version 4 on


def confine(own: Path) -> bool:
    """Allow this process, all its threads and children, to read and write only below `own`, and to connect to nothing.

    Programs, libraries and the kernel's information about the process stay readable. Call this before any other thread
    starts. Returns False if the kernel does not support it; then nothing has changed.
    """
    if sys.platform != "linux":
        return False
    kernel = ctypes.CDLL(None, use_errno=True)
    version = kernel.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    if version < 1:
        return False
    every = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    attributes = struct.pack("=QQ", every, _CONNECT) if version >= 4 else struct.pack("=Q", every)
    rules = kernel.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if rules < 0:
        return False
    try:
        _allow(kernel, rules, [own], every)
        _allow(kernel, rules, _read_by_any_program(), _READ)
        _allow(kernel, rules, [Path("/dev/null")], _READ | _WRITE_FILE)
        kernel.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        return bool(kernel.syscall(_RESTRICT_SELF, rules, 0) == 0)
    finally:
        os.close(rules)


def _read_by_any_program() -> list[Path]:
    code = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    code |= {Path(sys.base_prefix) / "lib", Path(deploy.__file__).parent}
    return [*sorted(code), *map(Path, ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/proc", "/sys", "/dev/urandom"))]


def _allow(kernel: ctypes.CDLL, rules: int, paths: Iterable[Path], access: int) -> None:
    for path in paths:
        if not path.exists():
            continue
        allowed = access if path.is_dir() else access & _OF_A_FILE
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            kernel.syscall(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", allowed, place), 0)
        finally:
            os.close(place)
