"""Closes connections that do not send their request, or do not read their response.

A connection costs an open file and its buffers, and anyone may open one. uvicorn's own limit covers only the time
between two requests.
"""

import asyncio
import time

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 20.0
"""How long a whole request may take to arrive, counted from the start of the connection or from its first byte."""

STALLED_SECONDS = 60.0
"""How long a response may wait for its reader to read what was sent (uvicorn then sends the next piece)."""

LOOKS = 4
"""How many times a connection is checked within the shorter of the two."""


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol with timeouts."""

    request_seconds = REQUEST_SECONDS
    stalled_seconds = STALLED_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for the first request."""
        super().connection_made(transport)
        self._awaited_since: float | None = time.monotonic()
        self._paused_since: float | None = None
        self._look_again()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer of a closed connection."""
        self._looking.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Receive a part of a request."""
        super().data_received(data)
        self._note_awaited()

    def on_response_complete(self) -> None:
        """Handle what arrived of the next request while this response was sent."""
        super().on_response_complete()
        self._note_awaited()

    def pause_writing(self) -> None:
        """Note that the reader is behind."""
        self._paused_since = time.monotonic()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note that the reader has caught up."""
        self._paused_since = None
        super().resume_writing()

    def _note_awaited(self) -> None:
        """Note whether, and since when, the rest of a request is awaited.

        It is not while a complete request is processed, nor between two requests, which uvicorn checks.
        """
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY) or self._is_between():
            self._awaited_since = None
        elif self._awaited_since is None:
            self._awaited_since = time.monotonic()

    def _is_between(self) -> bool:
        """Return True if every request so far has been answered."""
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
