"""The audit log's middleware: no response with spend is sent before the log has an entry of who reads it.

It applies to routes with the opt `exposes_spend=True` and wraps the whole response, so a handler cannot forget it
(tests/api/test_audit.py walks the route table for routes that expose spend without it). If the entry cannot be
written, the response is a 503 instead. A streamed body has an entry before its first byte and one before its last: if
the second cannot be written, the connection is closed early, so the reader knows that the body is incomplete.
"""

import hashlib
from typing import Any
from urllib.parse import parse_qs

import msgspec
import orjson
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from access.audit_log import BEGUN, BROKEN_OFF, DONE, EXPORT, READ, AuditEntry, write_entry
from api.client_address import address_of
from api.context import Context
from api.errors import Forbidden
from api.exception_handlers import REQUEST_ID, error_response
from api.principal import STATE_KEY, Viewer

AnyConnection = ASGIConnection[Any, Any, Any, Any]

EXPOSES_SPEND = "exposes_spend"
ROWS = "tally_rows"


REFUSED = "tally_spend_refused"


def mark_refused(connection: AnyConnection) -> None:
    """Mark the request as refused spend, whatever the response's status: a refusal as 404 is logged as well."""
    connection.scope["state"][REFUSED] = True


def set_row_count(request: Request[Any, Any, Any], rows: int) -> None:
    """Record the number of rows, unless it can be counted in a JSON page's `data`. A stream calls this at its end."""
    request.scope["state"][ROWS] = rows


class SpendAudit(ASGIMiddleware):
    """Litestar middleware for the whole application; routes without `exposes_spend` pass through unchanged."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Handle one request."""
        if not scope["route_handler"].opt.get(EXPOSES_SPEND):
            await next_app(scope, receive, send)
            return
        answer = _Answer(scope, send)
        try:
            try:
                await next_app(scope, receive, answer.take)
                await answer.finish()
            finally:
                await answer.break_off()
        except Exception:
            if answer.failed is None or answer.released:
                raise
            request: Request[Any, Any, Any] = Request(scope)
            instead = error_response(request, answer.failed).to_asgi_response(app=None, request=request)
            await instead(scope, receive, send)


class _Answer:
    """A response in progress: its start and its last chunk are held until the entries that must precede them exist."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.failed: Exception | None = None
        self.released = False
        self._scope = scope
        self._send = send
        self._held: list[Message] = []
        self._hash = hashlib.sha256()
        self._status = 0
        self._is_file = False
        self._ended = False

    async def take(self, message: Message) -> None:
        """Receive one ASGI message from the application."""
        self._held.append(message)
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._is_file = any(name.lower() == b"content-disposition" for name, _ in message["headers"])
        elif message["type"] == "http.response.body":
            self._hash.update(message.get("body", b""))
            if message.get("more_body"):
                if not self.released:
                    await self._write(BEGUN)
                await self._release()
            elif self.released:  # a stream returns after its reader has everything, so its end cannot wait for that
                await self.finish()

    async def finish(self) -> None:
        """Write the entry of the complete response, then send what is held."""
        if not self._held:
            return
        whole = b"".join(message["body"] for message in self._held if message["type"] == "http.response.body")
        outcome = DONE if self._status == 200 else f"refused: {self._status}"
        await self._write(outcome, _rows(self._scope, b"" if self.released else whole))
        self._ended = True
        await self._release()

    async def break_off(self) -> None:
        """Write an entry if the reader left before the end of a streamed body."""
        if self.released and not self._ended:
            await self._write(BROKEN_OFF)

    async def _release(self) -> None:
        self.released = True
        while self._held:
            await self._send(self._held.pop(0))

    async def _write(self, outcome: str, rows: int | None = None) -> None:
        """Write an entry if the response contains spend or refuses it; no other response reveals spend."""
        viewer = self._scope["state"].get(STATE_KEY)
        told = isinstance(viewer, Viewer) and viewer.can_read_spend and self._status == 200
        refused = self._status == Forbidden.status or self._scope["state"].get(REFUSED)
        if not isinstance(viewer, Viewer) or not (told or refused):
            return
        context: Context = self._scope["litestar_app"].state.context
        entry = AuditEntry(
            context.clock(),
            viewer.name,
            EXPORT if self._is_file else READ,
            outcome,
            viewer.organization_id,
            self._scope["path"],
            _filter(self._scope),
            rows if told else None,
            self._hash.hexdigest() if told and outcome == DONE else "",
            str(self._scope.get(REQUEST_ID, "")),
            address_of(Request(self._scope)),
        )
        try:
            await context.run(lambda client: write_entry(client, entry))
        except Exception as error:
            self.failed = error
            raise


def _filter(scope: Scope) -> str:
    return orjson.dumps(parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)).decode()


class _Row(msgspec.Struct):
    """An element of a page, as far as rows are counted: a time bucket contains its rows in `results`."""

    results: list[msgspec.Raw] | None = None


class _Counted(msgspec.Struct):
    data: list[_Row]


def _rows(scope: Scope, body: bytes) -> int | None:
    told: int | None = scope["state"].get(ROWS)
    if told is not None:
        return told
    try:
        found = msgspec.json.decode(body, type=_Counted).data
    except msgspec.DecodeError:
        return None
    return sum(1 if row.results is None else len(row.results) for row in found)
