"""How a worker's process keeps its memory: one arena, and garbage looked for seldom."""

import asyncio
import contextlib
import ctypes
import gc

GARBAGE_SECONDS = 60.0
"""How often garbage is looked for. A batch makes tens of thousands of tuples and no cycles, so a collector that goes by
how many objects there are looks through all open cells again and again: a tenth of a worker's time."""

M_ARENA_MAX = -8
"""mallopt's number for it, from glibc's malloc.h."""


async def collect_garbage() -> None:
    """Free what reference counts do not: tracebacks, tasks that were cancelled."""
    while True:
        await asyncio.sleep(GARBAGE_SECONDS)
        gc.collect()


def share_one_arena() -> None:
    """Have all threads allocate from one arena: glibc gives each its own and keeps what it held at its peak."""
    with contextlib.suppress(OSError, AttributeError):  # another C library has no such setting, nor the need
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
