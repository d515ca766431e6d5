"""Connections that keep the API waiting are closed, whatever they sent; those that are merely slow are answered."""

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from deploy.connection_timeouts import PatientProtocol
from tests.support.api_server import Served, context_of, serve
from tests.support.simulated_world import World

pytestmark = pytest.mark.slow

POST = b"POST /sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n"
GET = b"GET /alive HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"


@pytest.fixture
def hasty(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The API, with little patience."""
    monkeypatch.setattr(PatientProtocol, "request_seconds", 1.5)
    monkeypatch.setattr(PatientProtocol, "stalled_seconds", 0.8)
    with serve(context_of(world)) as served:
        yield served


def connected(served: Served) -> socket.socket:
    address = urlsplit(served.base_url)
    return socket.create_connection((address.hostname, address.port), timeout=20)


def rest(connection: socket.socket) -> bytes:
    """What still comes until the connection is closed."""
    try:
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("sent", [b"", b"G", b"GET /alive HTTP/1.1\r\nx-a: ", POST, POST + b'{"link": "'])
def test_half_a_request_is_not_awaited_for_ever(hasty: Served, sent: bytes) -> None:
    with connected(hasty) as connection:
        connection.sendall(sent)
        assert b" 200 " not in rest(connection)


@pytest.mark.parametrize(("sent", "more"), [(GET[:-2], b"x: y\r\n"), (POST, b"x")])
def test_byte_after_byte_is_not_awaited_for_ever_either(hasty: Served, sent: bytes, more: bytes) -> None:
    with connected(hasty) as connection:
        connection.sendall(sent)
        assert any(is_closed(connection, more) for _ in range(90)), "100 bytes at most, one each 0.1 s"


def is_closed(connection: socket.socket, sent: bytes) -> bool:
    """Whether it is, as who sends another byte finds out."""
    time.sleep(0.1)
    try:
        connection.sendall(sent)
    except OSError:
        return True
    return False


def test_a_second_request_may_not_stay_half_either(hasty: Served) -> None:
    with connected(hasty) as connection:
        connection.sendall(GET + b"GET /al")
        assert rest(connection).count(b" 200 ") == 1


def test_who_is_slow_is_answered(hasty: Served) -> None:
    with connected(hasty) as connection:
        for _ in range(5):
            for part in (GET[:9], GET[9:]):
                connection.sendall(part)
                time.sleep(0.15)
            assert b" 200 " in connection.recv(1 << 16)


def test_an_answer_that_nobody_takes_is_given_up(hasty: Served) -> None:
    with connected(hasty) as connection:
        document = b"GET /schema/openapi.json HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
        connection.sendall(document * 400)
        time.sleep(4)
        assert rest(connection).count(b"HTTP/1.1 200") < 400
