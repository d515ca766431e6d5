"""The outermost layer: what holds for every request and answer, also for what the router itself refuses."""

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
    """Around the application.

    Each request gets an id, which its answer carries in the header `request-id`; a caller's own is not taken over,
    since the id is what a line in our log is found by. A `host` that is none of ours is refused: a page of another site
    whose name leads here (DNS rebinding) would read our answers as its own. HEAD is answered as GET, without the body,
    and OPTIONS by the methods that a 405 would name, to anybody, without a look at who asks.
    """

    def __init__(self, app: Litestar, hosts: Collection[str], is_secure: bool) -> None:
        self.app = app
        self._hosts = {host.lower() for host in hosts}
        self._usual = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
        if is_secure:
            self._usual.append((b"strict-transport-security", b"max-age=31536000"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
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
        """As GET, until the first byte of the body: a stream might never end."""
        with anyio.CancelScope() as answering:

            async def send_head(message: Message) -> None:
                if message["type"] == "http.response.start":
                    await send(message)
                elif not answering.cancel_called:
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
                    answering.cancel()

            await self.app(scope, receive, send_head)

    def _whole(self, headers: Headers, request_id: str) -> Headers:
        """The headers of an answer, with those that every answer has unless it says otherwise."""
        named = {name.lower() for name, _ in headers}
        told = [(name, _with_head(value) if name.lower() == b"allow" else value) for name, value in headers]
        return [*told, (b"request-id", request_id.encode()), *(each for each in self._usual if each[0] not in named)]

    def _is_ours(self, host: bytes) -> bool:
        """No address can be made to lead elsewhere, so any is ours; of names those that are set."""
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
    """Makes of a refused method an answer that says which there are; any other refusal is passed on."""
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
    """The methods of an `allow`, with HEAD where there is GET."""
    known = {method.strip() for method in methods.split(b",") if method.strip()}
    return b", ".join(sorted(known | ({b"HEAD"} if b"GET" in known else set())))


async def _refuse(request_id: str, send: Send) -> None:
    body = msgspec.json.encode(ErrorBody(error=ErrorDetail("invalid_request_error", NOT_OURS), request_id=request_id))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 421, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
