"""Writes ClickHouse's HTTP responses: results of any size, errors, and errors after a part was sent."""

import json
import secrets
import tempfile
from collections.abc import AsyncIterator
from dataclasses import asdict

from aiohttp import web

from deploy.embedded.clickhouse_engine import ClickHouseError, Request, Summary
from deploy.embedded.clickhouse_formats import content_type
from deploy.embedded.compression import Compressor, compressor

_HELD_IN_MEMORY = 32 << 20  # bytes of a result that is sent only once complete; more goes to a temporary file
_STATUS = {
    400: {6, 25, 26, 27, 28, 36, 38, 41, 42, 43, 53, 62, 69, 70, 72, 89, 117, 131, 376, 386, 441, 456, 457, 467, 507},
    403: {164, 192, 193, 291, 497, 516},
    404: {46, 47, 50, 56, 60, 73, 81, 115},
    408: {159, 160},
    501: {48},
}


def status_of(code: int) -> int:
    """Return the HTTP status for one of ClickHouse's error codes."""
    return next((status for status, codes in _STATUS.items() if code in codes), 500)


def refusal(error: ClickHouseError, query_id: str, version: str) -> web.Response:
    """Return the response to a statement that failed before any of its result was sent."""
    text = error.message if "(version " in error.message else f"{error.message} (version {version})"
    return web.Response(
        status=status_of(error.code),
        text=text + "\n",
        headers={"X-ClickHouse-Exception-Code": str(error.code), "X-ClickHouse-Query-Id": query_id},
    )


def success(asked: Request, summary: Summary) -> dict[str, str]:
    """Return the headers of a statement that has succeeded so far."""
    headers = {
        "X-ClickHouse-Query-Id": asked.query_id,
        "X-ClickHouse-Server-Display-Name": "tally-embedded",
        "X-ClickHouse-Timezone": "UTC",
        "X-ClickHouse-Summary": json.dumps({name: str(value) for name, value in asdict(summary).items()}),
    }
    if asked.facts.returns_rows:
        headers["X-ClickHouse-Format"] = asked.format
        headers["Content-Type"] = content_type(asked.format)
    return headers


async def send(
    request: web.Request, asked: Request, parts: AsyncIterator[bytes], summary: Summary
) -> web.StreamResponse:
    """Send a result: in one piece if it has one part, otherwise part by part as they arrive."""
    first, second = await anext(parts, b""), await anext(parts, b"")
    if not second:
        return _in_one_piece(request, asked, first, summary)
    tag = secrets.token_hex(8)
    response = web.StreamResponse(headers=success(asked, summary) | {"X-ClickHouse-Exception-Tag": tag})
    pack = _packing(request, response)
    await response.prepare(request)
    try:
        await response.write(pack.compress(first + second))
        async for part in parts:
            await response.write(pack.compress(part))
    except ClickHouseError as error:
        # The status was sent long ago. The client learns of the error from the tagged message and from a truncated
        # body; otherwise it could take the part for the whole.
        await response.write(pack.compress(_tagged(tag, error.message)) + pack.flush())
        _break_off(request)
        return response
    await response.write(pack.flush())
    await response.write_eof()
    return response


async def send_when_complete(
    request: web.Request, asked: Request, parts: AsyncIterator[bytes], summary: Summary
) -> web.StreamResponse:
    """Send a result once it is complete, so that an error in the middle becomes a proper error response."""
    with tempfile.SpooledTemporaryFile(_HELD_IN_MEMORY) as held:
        async for part in parts:
            held.write(part)
        size = held.tell()
        held.seek(0)
        if size <= _HELD_IN_MEMORY:
            return _in_one_piece(request, asked, held.read(), summary)
        response = web.StreamResponse(headers=success(asked, summary))
        pack = _packing(request, response)
        await response.prepare(request)
        while part := held.read(1 << 20):
            await response.write(pack.compress(part))
        await response.write(pack.flush())
        await response.write_eof()
        return response


def _in_one_piece(request: web.Request, asked: Request, body: bytes, summary: Summary) -> web.Response:
    response = web.Response(headers=success(asked, summary))
    pack = _packing(request, response)
    response.body = pack.compress(body) + pack.flush() if body else b""
    return response


def _packing(request: web.Request, response: web.StreamResponse) -> Compressor:
    wanted = request.query.get("enable_http_compression") == "1"
    encoding, pack = compressor(request.headers.get("Accept-Encoding", "") if wanted else "")
    if encoding:
        response.headers["Content-Encoding"] = encoding
    return pack


def _tagged(tag: str, message: str) -> bytes:
    text = message.encode() + b"\n"
    mark = tag.encode()
    return b"__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n" % (mark, text, len(text), mark)


def _break_off(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()
