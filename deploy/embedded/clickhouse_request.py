"""Parses ClickHouse's HTTP requests: user, statement, settings and data."""

import asyncio
import base64
import binascii
import hmac
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import BodyPartReader, web

from deploy.embedded.clickhouse_engine import ClickHouseError, Request
from deploy.embedded.clickhouse_sql import SHORT, InsertHead, split_insert
from deploy.embedded.compression import BadCompression, decompressor

T = TypeVar("T")

# URL parameters of the protocol; all others are settings of the statement.
_PROTOCOL = frozenset(
    {
        "query", "query_id", "database", "default_format", "user", "password", "quota_key", "role",
        "session_id", "session_timeout", "session_check", "client_protocol_version", "wait_end_of_query",
        "buffer_size", "compress", "decompress", "enable_http_compression", "stacktrace",
        "http_headers_progress_interval_ms", "send_progress_in_http_headers",
    }
)  # fmt: skip
_CHUNK = 1 << 20
_MAX_STATEMENT = 16 << 20  # bytes of SQL text, not of inserted data


@dataclass(frozen=True)
class Credentials:
    """The server's only user; with an empty password, that user needs none."""

    user: str
    password: str

    def check(self, request: web.Request) -> None:
        """Raise ClickHouseError 516 unless the request has this user and password."""
        user, password = _given(request)
        # Both are always compared, in constant time, so that the time reveals nothing.
        same_user = hmac.compare_digest(user.encode(), self.user.encode())
        same_password = hmac.compare_digest(password.encode(), self.password.encode())
        if not (same_user and same_password):
            raise ClickHouseError(
                516,
                f"Code: 516. DB::Exception: {user}: Authentication failed: password is incorrect, or there "
                "is no user with such name. (AUTHENTICATION_FAILED)",
            )


def _given(request: web.Request) -> tuple[str, str]:
    if "X-ClickHouse-User" in request.headers or "X-ClickHouse-Key" in request.headers:
        return request.headers.get("X-ClickHouse-User", "default"), request.headers.get("X-ClickHouse-Key", "")
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return user, password
    return request.query.get("user", "default"), request.query.get("password", "")


@dataclass(frozen=True)
class Call:
    """A parsed request: the statement, and for an INSERT with data its head and the bytes of the data."""

    asked: Request
    insert: InsertHead | None
    data: AsyncIterator[bytes]


async def read_tokens(length: int, read: Callable[..., T], *arguments: object) -> T:
    """Return `read(*arguments)`, which reads a statement of `length` bytes: a long one in a thread, because it would
    block the event loop for every other request."""
    return read(*arguments) if length <= SHORT else await asyncio.to_thread(read, *arguments)


async def read_call(request: web.Request, query_id: str) -> Call:
    """Read a request up to the beginning of its data. Raises ClickHouseError."""
    parameters = dict(request.query)
    if request.content_type == "multipart/form-data":
        parameters |= await _form_fields(request)
        body = _no_data()
    else:
        body = _body(request)
    sql, head, data = await _statement(parameters.get("query", ""), body)
    return Call(_request(sql, parameters, request.method == "GET", query_id), head, data)


def _request(sql: bytes, given: Mapping[str, str], read_only: bool, query_id: str) -> Request:
    return Request(
        sql=sql,
        database=given.get("database", ""),
        settings={k: v for k, v in given.items() if k not in _PROTOCOL and not k.startswith("param_")},
        parameters={k.removeprefix("param_"): v for k, v in given.items() if k.startswith("param_")},
        default_format=given.get("default_format") or "TabSeparated",
        read_only=read_only,
        query_id=query_id,
    )


async def _statement(query: str, body: AsyncIterator[bytes]) -> tuple[bytes, InsertHead | None, AsyncIterator[bytes]]:
    """Return the statement's text, its INSERT head if data follows, and that data, which has not been read yet."""
    text = query.encode() + b"\n" if query else b""
    head, next_look = None, 0
    while True:
        if len(text) >= next_look:
            head = await read_tokens(len(text), split_insert, text)
            if head is not None and (query or len(text) > head.data_start):
                return text[: head.data_start], head, _after(text[head.data_start :], body)
            # Twice the length, so that all searches together take at most twice the time of one; a name may be cut off
            # here.
            next_look = 0 if head is not None else 2 * len(text)
        part = await anext(body, b"")
        if not part:
            break
        text, head = text + part, None
        if len(text) > _MAX_STATEMENT:
            raise _too_long()
    head = head or await read_tokens(len(text), split_insert, text)
    return (text[: head.data_start], head, _no_data()) if head else (text.removesuffix(b"\n"), None, _no_data())


def _too_long() -> ClickHouseError:
    return ClickHouseError(
        62, f"Code: 62. DB::Exception: Max query size exceeded ({_MAX_STATEMENT} bytes). (SYNTAX_ERROR)"
    )


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part


async def _no_data() -> AsyncIterator[bytes]:
    return
    yield b""


async def _body(request: web.Request) -> AsyncIterator[bytes]:
    try:
        unpack = decompressor(request.headers.get("Content-Encoding", ""))
        async for part in request.content.iter_chunked(_CHUNK):
            for data in unpack.unpack(part):
                yield data
        unpack.finish()
    except BadCompression as error:
        raise ClickHouseError(89, f"Code: 89. DB::Exception: {error}. (UNKNOWN_COMPRESSION_METHOD)") from error


async def _form_fields(request: web.Request) -> dict[str, str]:
    fields: dict[str, str] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.filename is not None or part.name is None:
            raise ClickHouseError(
                48, "Code: 48. DB::Exception: The embedded server does not support external data. (NOT_IMPLEMENTED)"
            )
        fields[part.name] = (await _bounded(part)).decode()
    return fields


async def _bounded(part: BodyPartReader) -> bytes:
    text = b""
    while piece := await part.read_chunk(_CHUNK):
        text += piece
        if len(text) > _MAX_STATEMENT:
            raise _too_long()
    return text
