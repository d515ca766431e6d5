"""The embedded ClickHouse as a web page, a DNS rebinder and a curious statement meet it: nothing gets in or out."""

import gzip
import http.client
import http.server
import socket
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psutil
import pytest

from deploy.embedded.child import RunningChild
from tests.support.forbidden_statements import CALLS_OUT, READS_A_FILE, RUNS_A_PROGRAM, WRITES_A_FILE
from tests.support.stack import start_clickhouse

PASSWORD = "only in the environment"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChild]:
    """A server with a password and a table with one secret row."""
    running = start_clickhouse(tmp_path_factory.mktemp("walls"), password=PASSWORD)
    for statement in (
        "CREATE DATABASE mine",
        "CREATE TABLE mine.people (email String) ENGINE = MergeTree ORDER BY email",
        "INSERT INTO mine.people VALUES ('ada@example.com')",
    ):
        assert ask(running, statement)[0] == 200
    yield running
    running.stop()


@pytest.fixture
def sink() -> Iterator[tuple[str, list[str]]]:
    """A web server elsewhere that takes everything: its URL, and what it was sent."""
    got: list[str] = []

    class Taking(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_GET = do_HEAD = do_PUT = do_POST

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taking) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{web.server_port}", got
        web.shutdown()


def ask(
    server: RunningChild, statement: str, method: str = "POST", headers: dict[str, str] | None = None
) -> tuple[int, str]:
    """Status and text of the answer to a statement, sent with the right password as curl would."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.child.url).port, timeout=120)
    sent = {"X-ClickHouse-Key": PASSWORD, **(headers or {})}
    if method == "POST":
        connection.request("POST", "/", statement.encode(), sent)
    else:
        connection.request(method, "/?" + urlencode({"query": statement}), headers=sent)
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    connection.close()
    return answer.status, text


FROM_A_PAGE = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:8123"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "same-origin"},
    {"sec-fetch-site": "None, cross-site"},
    {"Referer": "http://127.0.0.1:3000/"},
    {"Sec-Fetch-Site": "none", "Origin": "https://evil.example"},
    {"Host": "rebind.evil.example:8123"},
    {"Host": "rebind.evil.example"},
    {"Host": "127.0.0.1.evil.example:8123"},
    {"Host": "127.0.0.1@evil.example"},
    {"Host": "evil.example#127.0.0.1"},
    {"Host": "localhost:8123.evil.example"},
    {"Host": ""},
]


@pytest.mark.parametrize("headers", FROM_A_PAGE, ids=str)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_a_web_page_sends_is_refused_with_any_password(
    server: RunningChild, method: str, headers: dict[str, str]
) -> None:
    status, text = ask(server, "SELECT email FROM mine.people", method, headers)
    assert status == 403 or (headers.get("Host") == "" and status == 400)
    assert "ada@example.com" not in text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:8123", "[::1]:8123", "127.0.0.1:19999"])
def test_programs_of_this_machine_are_answered_by_any_of_its_names(server: RunningChild, host: str) -> None:
    assert ask(server, "SELECT 1", headers={"Host": host}) == (200, "1\n")
    assert ask(server, "SELECT 1", "GET", {"Host": host, "Sec-Fetch-Site": "none"}) == (200, "1\n")


def test_a_page_is_refused_before_its_body_is_read(server: RunningChild) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(server.child.url).port or 0), timeout=120) as connection:
        head = "POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nContent-Length: 9999999\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"])
def test_only_get_and_post(server: RunningChild, method: str) -> None:
    assert ask(server, "TRUNCATE TABLE mine.people", method)[0] == 405
    assert ask(server, "SELECT count() FROM mine.people") == (200, "1\n")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_probe_asks_for_the_ping_without_a_password(server: RunningChild, method: str) -> None:
    for headers, status in (({}, 200), ({"Origin": "https://evil.example"}, 403)):
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.child.url).port, timeout=120)
        connection.request(method, "/ping", headers=headers)
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (status, method == "GET")
        connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO mine.people VALUES ('planted')",
        "INSERT INTO mine.people SELECT 'planted'",
        "WITH 'planted' AS x INSERT INTO mine.people SELECT x",
        "INSERT INTO FUNCTION null('x String') SELECT 'x'",
        "/* SELECT */ INSERT INTO mine.people FORMAT CSV planted",
        "CREATE TABLE mine.planted (x String) ENGINE = Memory",
        "CREATE DATABASE planted",
        "TRUNCATE TABLE mine.people",
        "ALTER TABLE mine.people DELETE WHERE 1",
        "DELETE FROM mine.people WHERE 1",
        "OPTIMIZE TABLE mine.people FINAL",
        "SYSTEM STOP MERGES mine.people",
        "KILL QUERY WHERE 1",
        "SET max_threads = 1",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1; TRUNCATE TABLE mine.people",
        "DROP TABLE mine.people",
    ],
)
def test_a_get_reads_and_does_nothing_else(server: RunningChild, statement: str) -> None:
    status, _ = ask(server, statement, "GET")
    assert status >= 400
    assert ask(server, "SELECT email FROM mine.people") == (200, "ada@example.com\n")
    assert ask(server, "SELECT count() FROM system.databases WHERE name = 'planted'") == (200, "0\n")


@pytest.mark.parametrize(
    "read",
    ["SELECT 1", "WITH 1 AS x SELECT x", "SHOW TABLES FROM mine", "EXISTS mine.people", "DESCRIBE mine.people",
     "EXPLAIN SELECT 1", "(SELECT 1) UNION ALL SELECT 2", "FROM mine.people SELECT count()"],
)  # fmt: skip
def test_a_get_reads(server: RunningChild, read: str) -> None:
    assert ask(server, read, "GET")[0] == 200


@pytest.mark.parametrize("statement", READS_A_FILE)
def test_no_statement_reads_a_file(server: RunningChild, tmp_path: Path, statement: str) -> None:
    secret, path = uuid.uuid4().hex, tmp_path / "secret.txt"
    path.write_text(secret)
    status, text = ask(server, statement.format(path=path, folder=tmp_path))
    assert status >= 400, text
    assert secret not in text
    assert ask(server, "SELECT email FROM mine.people") == (200, "ada@example.com\n")


@pytest.mark.parametrize("statement", WRITES_A_FILE)
def test_no_statement_writes_a_file(server: RunningChild, tmp_path: Path, statement: str) -> None:
    status, text = ask(server, statement.format(path=tmp_path / "written"))
    assert status >= 400, text
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("statement", CALLS_OUT)
def test_no_statement_reaches_another_server(server: RunningChild, sink: tuple[str, list[str]], statement: str) -> None:
    url, got = sink
    status, text = ask(server, statement.format(url=url, address=url.removeprefix("http://")))
    assert status >= 400, text
    assert not got


@pytest.mark.parametrize("statement", RUNS_A_PROGRAM)
def test_no_statement_runs_a_program_or_makes_itself_rights(server: RunningChild, statement: str) -> None:
    status, text = ask(server, statement)
    assert status >= 400, text


def test_inserts_of_our_own_work_within_the_walls(server: RunningChild) -> None:
    assert ask(server, "CREATE TABLE mine.rows (n UInt64) ENGINE = MergeTree ORDER BY n")[0] == 200
    assert ask(server, "INSERT INTO mine.rows FORMAT CSV\n1\n2\n")[0] == 200
    assert ask(server, "SELECT sum(n) FROM mine.rows") == (200, "3\n")


def test_a_long_statement_keeps_nobody_waiting(server: RunningChild) -> None:
    """Reading four megabytes of tokens takes seconds; they go by in a thread, and others are answered."""
    long = threading.Thread(target=ask, args=(server, "SELECT " + "(" * (2 << 20)))
    long.start()
    answered = 0
    while long.is_alive():
        assert ask(server, "SELECT 1") == (200, "1\n")
        answered += 1
    assert answered > 0


def test_a_body_that_unpacks_to_a_gigabyte_is_refused_in_little_memory(server: RunningChild) -> None:
    process = psutil.Process(server.pid)
    before = process.memory_info().rss
    bomb = gzip.compress(b" " * (1 << 20)) * 1024
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.child.url).port, timeout=120)
    connection.request("POST", "/", bomb, {"X-ClickHouse-Key": PASSWORD, "Content-Encoding": "gzip"})
    answer = connection.getresponse()
    assert (answer.status, b"Max query size exceeded" in answer.read()) == (400, True)
    connection.close()
    assert process.memory_info().rss - before < 300 << 20


def test_what_it_keeps_is_for_its_user_alone(server: RunningChild) -> None:
    folder = Path(server.child.command[server.child.command.index("--path") + 1])
    found = [path for path in folder.rglob("*") if path.name != "output.log"]
    assert found
    assert not [path for path in found if path.stat().st_mode & 0o077]


def test_the_password_is_in_no_file_and_no_command_line(server: RunningChild) -> None:
    assert PASSWORD not in " ".join(server.child.command)
    folder = Path(server.child.command[server.child.command.index("--path") + 1])
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
