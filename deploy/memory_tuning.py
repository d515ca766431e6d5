"""Memory of a worker's process: one arena, and infrequent garbage collection."""

import asyncio
import contextlib
import ctypes
import gc

GARBAGE_SECONDS = 60.0
"""The interval of garbage collections. A batch creates tens of thousands of tuples and no cycles, so a collector
triggered by the number of objects would scan all open cells repeatedly: a tenth of a worker's time."""

M_ARENA_MAX = -8
"""mallopt's number for the limit of arenas, from glibc's malloc.h."""


async def collect_garbage() -> None:
    """Free what reference counts do not: tracebacks, cancelled tasks."""
    while True:
        await asyncio.sleep(GARBAGE_SECONDS)
        gc.collect()


def share_one_arena() -> None:
    """Make all threads allocate from one arena: glibc gives each its own and keeps what it used at its peak."""
    with contextlib.suppress(OSError, AttributeError):  # other C libraries lack this setting and do not need it
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
