"""The outermost layer: applies to every request and response, including errors of the router itself."""

import secrets
from collections.abc import Collection
from ipaddress import ip_address
from typing import cast
from urllib.parse import urlsplit

import anyio
import msgspec
from litestar import Litestar
from litestar.types import HTTPScope, Message, Receive, Scope, Send

from api.errors import ErrorBody, ErrorDetail
from api.exception_handlers import REQUEST_ID

Headers = list[tuple[bytes, bytes]]

LOCAL = "localhost"
NO_METHOD = "NONE"
"""A method that no route has."""
NOT_OURS = (
    "The header host names another server. Allowed: an IP address, localhost, and the hosts of api_base_url, api_host "
    "and api_hosts."
)


class Edge:
    """ASGI application around the Litestar application.

    Each request gets an id, which its response has in the header `request-id`; an id sent by the caller is ignored,
    since log lines are found by the id. An unknown `host` is rejected: otherwise a page of another site whose name
    resolves to this server (DNS rebinding) could read responses as its own. HEAD is handled as GET without the body.
    OPTIONS returns the methods that a 405 would list, without authentication.
    """

    def __init__(self, app: Litestar, hosts: Collection[str], is_secure: bool) -> None:
        self.app = app
        self._hosts = {host.lower() for host in hosts}
        self._usual = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
        if is_secure:
            self._usual.append((b"strict-transport-security", b"max-age=31536000"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":  # type: ignore[comparison-overlap]
            await self.app(scope, receive, send)
            return
        request_id = f"req_{secrets.token_hex(12)}"
        scope[REQUEST_ID] = request_id  # type: ignore[literal-required]

        async def send_whole(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._whole(list(message["headers"]), request_id)
            await send(message)

        if not all(self._is_ours(value) for name, value in scope["headers"] if name == b"host"):
            await _refuse(request_id, send_whole)
        elif cast(HTTPScope, scope)["method"] == "HEAD":
            asked_for = cast(Scope, {**scope, "method": "GET"})
            await self._head(asked_for, receive, send_whole)
        elif cast(HTTPScope, scope)["method"] == "OPTIONS":
            await self.app(cast(Scope, {**scope, "method": NO_METHOD}), receive, _methods_alone(send_whole))
        else:
            await self.app(scope, receive, send_whole)

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run GET up to the first byte of the body: a stream might never end."""
        with anyio.CancelScope() as answering:

            async def send_head(message: Message) -> None:
                if message["type"] == "http.response.start":
                    await send(message)
                elif not answering.cancel_called:
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
                    answering.cancel()

            await self.app(scope, receive, send_head)

    def _whole(self, headers: Headers, request_id: str) -> Headers:
        """Return a response's headers, with the defaults that it does not set itself."""
        named = {name.lower() for name, _ in headers}
        told = [(name, _with_head(value) if name.lower() == b"allow" else value) for name, value in headers]
        return [*told, (b"request-id", request_id.encode()), *(each for each in self._usual if each[0] not in named)]

    def _is_ours(self, host: bytes) -> bool:
        """Return True for an IP address, which no DNS name can redirect, and for a configured name."""
        try:
            name = (urlsplit(f"//{host.decode('ascii')}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if name == LOCAL or name in self._hosts:
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True


def _methods_alone(send: Send) -> Send:
    """Turn a rejected method into a response that lists the allowed ones; other errors pass unchanged."""
    tells = False

    async def send_methods(message: Message) -> None:
        nonlocal tells
        if message["type"] == "http.response.start" and message["status"] == 405:
            tells = True
            allow = [(name, value) for name, value in message["headers"] if name.lower() == b"allow"]
            await send({**message, "status": 204, "headers": allow})
        elif not tells:
            await send(message)
        elif not message.get("more_body"):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_methods


def _with_head(methods: bytes) -> bytes:
    """Return the methods in an `allow` header, with HEAD if GET is among them."""
    known = {method.strip() for method in methods.split(b",") if method.strip()}
    return b", ".join(sorted(known | ({b"HEAD"} if b"GET" in known else set())))


async def _refuse(request_id: str, send: Send) -> None:
    body = msgspec.json.encode(ErrorBody(error=ErrorDetail("invalid_request_error", NOT_OURS), request_id=request_id))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 421, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
