"""The audit log's hook: no answer that tells of spend leaves before it stands there who reads it.

It works by a route's opt `exposes_spend=True`, around the whole answer, so a route cannot forget it
(tests/api/test_audit.py walks over the route table for routes that tell of spend without it). If the entry cannot be
written, the answer is a 503 instead. A streamed body has an entry before its first byte and one before its last: if the
second cannot be written the connection breaks off, and the reader knows that the body is not whole.
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
    """By guards that refuse to tell of spend, whatever they answer: a refusal that hides is written down as well."""
    connection.scope["state"][REFUSED] = True


def set_row_count(request: Request[Any, Any, Any], rows: int) -> None:
    """How many rows an answer has, if it is no JSON page whose `data` can be counted; a stream tells it at its end."""
    request.scope["state"][ROWS] = rows


class SpendAudit(ASGIMiddleware):
    """Litestar's middleware of the whole application; it lets routes without `exposes_spend` pass."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """One request."""
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
    """An answer on its way: its start and last piece are kept back until the log has what must stand there first."""

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
        """A message of the application."""
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
            elif self.released:  # a stream returns when its reader has all, so its end cannot wait for that
                await self.finish()

    async def finish(self) -> None:
        """The application has said all."""
        if not self._held:
            return
        whole = b"".join(message["body"] for message in self._held if message["type"] == "http.response.body")
        outcome = DONE if self._status == 200 else f"refused: {self._status}"
        await self._write(outcome, _rows(self._scope, b"" if self.released else whole))
        self._ended = True
        await self._release()

    async def break_off(self) -> None:
        """The reader left before the end of a body that was given out bit by bit, or took nothing."""
        if self.released and not self._ended:
            await self._write(BROKEN_OFF)

    async def _release(self) -> None:
        self.released = True
        while self._held:
            await self._send(self._held.pop(0))

    async def _write(self, outcome: str, rows: int | None = None) -> None:
        """Of answers that tell of spend, and of refusals to tell; any other told nothing."""
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
    """As much of a page's element as is looked at: a bucket of time has the rows in it."""

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
