"""An event loop on which one seed is one history: time is virtual, and the seed picks who runs next.

Any task that could run may be the next to run, so a history visits interleavings that a real loop shows once in a
million. A process is a tag on the context of its tasks: to kill it is to throw its callbacks away wherever they are,
with no `finally` run; to stop it is to hold them back.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from heapq import heappop, heappush
from inspect import CORO_CREATED, getcoroutinestate
from random import Random
from typing import Any

PROCESS: ContextVar["Process | None"] = ContextVar("process", default=None)


class Stuck(Exception):
    """The history did not end within its bound of steps."""


class Process:
    """A process whose tasks can be killed, or stopped and continued, at any await."""

    def __init__(self, loop: "Loop") -> None:
        self.alive = True
        self.stopped = False
        self.held: list[Handle] = []
        self._loop = loop
        self._context = copy_context()
        self._context.run(PROCESS.set, self)

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A task of this process."""
        return self._context.run(self._loop.create_task, coroutine)

    def kill(self) -> None:
        """As SIGKILL: nothing of it runs any more."""
        self.alive = False
        self.held.clear()

    def stop(self) -> None:
        """As SIGSTOP: it keeps what it has and does nothing."""
        self.stopped = True

    def go_on(self) -> None:
        """As SIGCONT."""
        self.stopped = False
        self._loop.ready += self.held
        self.held = []


class Handle:
    """A callback that is due; what a loop must return for it."""

    __slots__ = ("args", "callback", "context", "is_cancelled", "moment")

    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context | None) -> None:
        self.callback = callback
        self.args = args
        self.context = copy_context() if context is None else context
        self.is_cancelled = False
        self.moment = 0.0

    def cancel(self) -> None:
        """It will not run."""
        self.is_cancelled = True

    def cancelled(self) -> bool:
        """Whether it will not run."""
        return self.is_cancelled

    def when(self) -> float:
        """The moment at which it is due."""
        return self.moment


_AbstractEventLoop: Any = asyncio.AbstractEventLoop
"""Not for mypy, which would ask for the forty methods that nothing calls here."""


class Loop(_AbstractEventLoop):  # type: ignore[misc]
    """As much of an event loop as tasks, futures, locks, queues and time-outs need."""

    def __init__(self, rng: Random) -> None:
        self.now = 0.0
        self.steps = 0
        self.ready: list[Handle] = []
        self.errors: list[str] = []
        self._rng = rng
        self._timers: list[tuple[float, int, Handle]] = []
        self._number = 0
        self._tasks: list[asyncio.Task[Any]] = []

    def run(self, main: Coroutine[Any, Any, Any], max_steps: int) -> Any:
        """The result of `main`. Raises Stuck after so many callbacks, or when nothing is left to run."""
        asyncio._set_running_loop(self)
        try:
            task = self.create_task(main)
            while not task.done():
                if self.steps > max_steps:
                    raise Stuck(f"{self.steps} steps and not done at {self.now:.1f} s")
                self._step()
            return task.result()
        finally:
            asyncio._set_running_loop(None)
            self._tidy()

    def _tidy(self) -> None:
        """Let go what is left, without a word about tasks that were killed."""
        for task in self._tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            coroutine: Any = task.get_coro()
            if getcoroutinestate(coroutine) == CORO_CREATED:
                coroutine.close()

    def _step(self) -> None:
        ready = self.ready
        if not ready:
            self._advance()
        if len(ready) > 1:
            at = int(self._rng.random() * len(ready))
            ready[at], ready[-1] = ready[-1], ready[at]
        handle = ready.pop()
        if handle.is_cancelled:
            return
        process = handle.context.get(PROCESS)
        if process is not None:
            if not process.alive:
                return
            if process.stopped:
                process.held.append(handle)
                return
        self.steps += 1
        handle.context.run(handle.callback, *handle.args)

    def _advance(self) -> None:
        if not self._timers:
            raise Stuck(f"nothing is left to run at {self.now:.1f} s")
        self.now = max(self.now, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self.now:
            self.ready.append(heappop(self._timers)[2])

    def without_process(self, call: Callable[[], Any]) -> None:
        """Call what goes on whatever becomes of the process that asked for it."""
        context = copy_context()
        context.run(PROCESS.set, None)
        context.run(call)

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Handle:
        handle = Handle(callback, args, context)
        self.ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(self, delay: float, callback: Any, *args: Any, context: Context | None = None) -> Handle:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> Handle:
        handle = Handle(callback, args, context)
        handle.moment = when
        self._number += 1
        heappush(self._timers, (when, self._number, handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=self, name=name or "task", context=context)
        self._tasks.append(task)
        return task

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.errors.append(f"{context.get('message')}: {context.get('exception')!r}")
