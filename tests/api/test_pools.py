"""What all organizations share: one of them, a slow reader, a slow provider or a stranger keeps nobody else waiting."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from litestar import Request, get
from litestar.response import Stream

from access.identity_providers import Provider, remove_provider, save_provider
from access.keys import create_key
from api.auth.guards import require_viewer
from api.downloads import Downloads
from api.principal import current_viewer
from tests.support.api_server import PREFIX, Served, context_of, serve
from tests.support.identity_provider import ISSUER, token
from tests.support.people import somebody
from tests.support.simulated_world import NOW, World

pytestmark = pytest.mark.slow

LARGE, PIECE = 256, b"x" * (512 << 10)
"""Pieces of a report that no socket's buffers take."""
A, B = somebody("team", "owner"), somebody("enterprise_seat_based", "owner")


@get("/report", guards=[require_viewer])
async def report(request: Request[Any, Any, Any]) -> Stream:
    """A report as Export writes one, of as many pieces as asked for; `open` counts those who write."""

    def write(sink: BinaryIO) -> None:
        open_reports.append(threading.current_thread())
        try:
            for _ in range(int(request.query_params.get("pieces", "1"))):
                sink.write(PIECE)
        finally:
            open_reports.remove(threading.current_thread())

    pieces = request.app.state.context.downloads.written(write, current_viewer(request))
    first = await anext(pieces)

    async def every() -> Any:
        yield first
        async for piece in pieces:
            yield piece

    return Stream(every(), media_type="text/csv")


open_reports: list[threading.Thread] = []


def until(holds: Any, seconds: float = 20.0) -> None:
    """Waits for it."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def stalled(served: Served, key: str) -> Iterator[socket.socket]:
    """A reader who asks for a large report and takes nothing of it."""
    address = urlsplit(served.base_url)
    before = len(open_reports)
    with socket.create_connection((address.hostname, address.port)) as reader:
        asked = f"GET /report?pieces={LARGE} HTTP/1.1\r\nhost: {address.netloc}\r\nx-api-key: {key}\r\n\r\n"
        reader.sendall(asked.encode())
        until(lambda: len(open_reports) > before)
        yield reader


@pytest.fixture
def keys(world: World) -> Iterator[dict[str, list[str]]]:
    with closing(world.client()) as client:
        yield {
            one.organization: [create_key(client, one.organization, "k", NOW, None)[1] for _ in range(4)]
            for one in (A, B)
        }


def test_who_reads_nothing_keeps_no_other_organization_waiting(world: World, keys: dict[str, list[str]]) -> None:
    context = context_of(world, downloads=Downloads(stalled_seconds=3600))
    with serve(context, report) as served, ExitStack() as readers:
        for key in keys[A.organization][:2] * 2:
            readers.enter_context(stalled(served, key))
        assert len(open_reports) == 4
        for key in (keys[A.organization][0], keys[A.organization][2]):
            refused = served.get("/report", key)
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
        assert len(served.get("/report", keys[B.organization][0]).content) == len(PIECE)
        assert served.get(f"{PREFIX}/users", keys[A.organization][0], date="2026-11-18").status_code == 200
        assert len(open_reports) == 4
    until(lambda: not open_reports)


def test_one_viewer_leaves_some_to_the_others_of_the_organization(world: World, keys: dict[str, list[str]]) -> None:
    first, second, *_ = keys[A.organization]
    with serve(context_of(world), report) as served, stalled(served, first), stalled(served, first):
        assert served.get("/report", first).status_code == 429
        assert served.get("/report", second).status_code == 200


def test_a_place_is_taken_until_the_reader_has_what_was_written(world: World, keys: dict[str, list[str]]) -> None:
    """Four pieces fit between writer and reader, so the writer has ended long before its reader takes them."""
    key, downloads = keys[A.organization][0], Downloads()
    with serve(context_of(world, downloads=downloads), report) as served:
        address = urlsplit(served.base_url)
        with ExitStack() as readers:
            for _ in range(2):
                reader = readers.enter_context(socket.socket())
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                reader.connect((address.hostname, address.port))
                asked = f"GET /report?pieces=8 HTTP/1.1\r\nhost: {address.netloc}\r\nx-api-key: {key}\r\n\r\n"
                reader.sendall(asked.encode())
                assert reader.recv(12) == b"HTTP/1.1 200"
            until(lambda: not open_reports)
            assert served.get("/report", key).status_code == 429
        until(lambda: served.get("/report", key).status_code == 200)
        for _ in range(3):
            assert httpx.head(f"{served.base_url}/report?pieces=8", headers={"x-api-key": key}).status_code == 200
        until(lambda: served.get("/report", key).status_code == 200)


def test_when_all_places_are_taken_the_answer_is_later(world: World, keys: dict[str, list[str]]) -> None:
    context = context_of(world, downloads=Downloads(most=1))
    with serve(context, report) as served, stalled(served, keys[A.organization][0]):
        refused = served.get("/report", keys[B.organization][0])
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")


def test_a_reader_who_takes_nothing_is_given_up_and_all_comes_back(world: World, keys: dict[str, list[str]]) -> None:
    context = context_of(world, downloads=Downloads(most=1, stalled_seconds=0.5))
    with serve(context, report) as served, stalled(served, keys[A.organization][0]) as reader:
        until(lambda: not open_reports)
        assert served.get("/report", keys[B.organization][0]).status_code == 200
        reader.settimeout(20)
        taken = sum(map(len, iter(lambda: reader.recv(1 << 20), b"")))
        assert taken < LARGE * len(PIECE), "it breaks off, so nobody takes it for the whole"


def test_questions_of_one_organization_leave_threads_to_the_others(world: World, keys: dict[str, list[str]]) -> None:
    """Twenty questions that never end are one organization's: its next one waits, another's is answered."""
    context, going, ends = context_of(world, deadline_seconds=4.0), list[int](), threading.Event()

    @get("/slow", guards=[require_viewer])
    async def slow(request: Request[Any, Any, Any]) -> str:
        def work(_: Any) -> str:
            going.append(1)
            ends.wait(30)
            return "done"

        return await context.run(work)

    with serve(context, slow) as served, ThreadPoolExecutor(20) as many:
        asked = [many.submit(served.get, "/slow", keys[A.organization][0]) for _ in range(20)]
        until(lambda: len(going) >= 4)
        assert served.get(f"{PREFIX}/users", keys[B.organization][0], date="2026-11-18").status_code == 200
        assert {answer.result().status_code for answer in asked} == {503}
        assert len(going) == 4, "a place is given back when its thread has ended, not when nobody waits any more"
        ends.set()
        until(lambda: served.get(f"{PREFIX}/users", keys[A.organization][0], date="2026-11-18").status_code == 200)


def test_four_who_fill_all_they_may_have_leave_threads_for_questions_of_others(
    world: World, keys: dict[str, list[str]]
) -> None:
    """Their questions never end; those of any other organization, and a sign-in's, are answered one after another."""
    context, going, ends = context_of(world, deadline_seconds=60.0), list[str](), threading.Event()

    @get("/slow", guards=[require_viewer])
    async def slow(request: Request[Any, Any, Any]) -> str:
        def work(_: Any) -> str:
            going.append(current_viewer(request).organization_id)
            ends.wait(120)
            return "done"

        return await context.run(work)

    with closing(world.client()) as client:
        busy = [create_key(client, str(UUID(int=0xB0000 + number)), "k", NOW, None)[1] for number in range(6)]
    with serve(context, slow) as served, ThreadPoolExecutor(30) as many:
        asked = [many.submit(served.get, "/slow", key) for key in busy[:4] * 5]
        until(lambda: len(going) == 16, 60)
        for key in (keys[A.organization][0], keys[B.organization][0]):
            assert served.get(f"{PREFIX}/users", key, date="2026-11-18").status_code == 200
        assert served.get("/sign-in?link=unknown").status_code == 200
        asked += [many.submit(served.get, "/slow", key) for key in busy[4:] * 4]
        until(lambda: len(going) == 18, 60)
        assert served.get(f"{PREFIX}/users", keys[B.organization][0], date="2026-11-18").status_code == 200
        assert Counter(Counter(going).values()) == {4: 4, 1: 2}, "who comes to a full house has one thread each"
        ends.set()
        assert {answer.result().status_code for answer in asked} == {200}


@contextmanager
def dripping(body: bool) -> Iterator[str]:
    """A provider that sends a byte of its keys, or of its headers, now and then."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n" + (b"\r\n" if body else b"x-slow: "))
            try:
                while not done.wait(0.2):
                    self.wfile.write(b" ")
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            pass

    done = threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        done.set()
        server.shutdown()


@pytest.mark.parametrize("body", [True, False])
def test_a_slow_provider_stalls_nobody_and_keeps_no_thread(
    world: World, keys: dict[str, list[str]], body: bool
) -> None:
    unsigned = token(aud="slow", account=B.account).rpartition(".")[0] + ".AAAA"
    with dripping(body) as url, serve(context_of(world)) as served, closing(world.client()) as client:
        save_provider(client, Provider(B.organization, ISSUER, "slow", url, "account"), NOW)

        def forge(_: int) -> int:
            url, headers = f"{served.base_url}{PREFIX}/users?date=2026-11-18", {"authorization": f"Bearer {unsigned}"}
            return httpx.get(url, headers=headers, timeout=120).status_code

        try:
            served.get(f"{PREFIX}/users", keys[A.organization][0], date="2026-11-18")
            before = threading.active_count()
            with ThreadPoolExecutor(10) as many:
                forged = [many.submit(forge, number) for number in range(10)]
                time.sleep(1)
                answer = served.get(f"{PREFIX}/users", keys[A.organization][0], date="2026-11-18")
                assert answer.status_code == 200
                got = {each.result() for each in forged}
            assert got == {401}, "as for a provider that nobody knows, though this one would go on for ever"
            until(lambda: threading.active_count() <= before + 1)
        finally:
            remove_provider(client, B.organization, NOW)
