"""Connections that keep us waiting are closed: one that does not send a request, one that does not take its answer.

A connection costs an open file and its buffers, and anybody may open one. uvicorn's own limit is for the time between
two requests alone.
"""

import asyncio
import time

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 20.0
"""How long a whole request may take to arrive, counted from the connection or from its first byte."""

STALLED_SECONDS = 60.0
"""How long an answer may wait until its reader has taken what was sent (uvicorn hands on the next piece then)."""

LOOKS = 4
"""How often within the shorter of the two a connection is looked at."""


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with an end to its patience."""

    request_seconds = REQUEST_SECONDS
    stalled_seconds = STALLED_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection begins, and so does its first request."""
        super().connection_made(transport)
        self._awaited_since: float | None = time.monotonic()
        self._paused_since: float | None = None
        self._look_again()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        self._looking.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A part of a request."""
        super().data_received(data)
        self._note_awaited()

    def on_response_complete(self) -> None:
        """The answer was sent; what came meanwhile of another request is looked at now."""
        super().on_response_complete()
        self._note_awaited()

    def pause_writing(self) -> None:
        """The reader is behind."""
        self._paused_since = time.monotonic()
        super().pause_writing()

    def resume_writing(self) -> None:
        """The reader has caught up."""
        self._paused_since = None
        super().resume_writing()

    def _note_awaited(self) -> None:
        """Whether the rest of a request is awaited, and since when: not while one that has arrived is answered, and not
        between two, which uvicorn looks at."""
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY) or self._is_between():
            self._awaited_since = None
        elif self._awaited_since is None:
            self._awaited_since = time.monotonic()

    def _is_between(self) -> bool:
        """Whether all that was sent has been answered."""
        unread, _ = self.conn.trailing_data
        return self.cycle is not None and self.conn.their_state is h11.IDLE and not unread

    def _look_again(self) -> None:
        seconds = min(self.request_seconds, self.stalled_seconds) / LOOKS
        self._looking: asyncio.TimerHandle = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        now = time.monotonic()
        awaited = self._awaited_since is not None and now - self._awaited_since >= self.request_seconds
        stalled = self._paused_since is not None and now - self._paused_since >= self.stalled_seconds
        if awaited or stalled:
            self.transport.abort()
        else:
            self._look_again()
