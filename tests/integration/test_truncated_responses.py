"""An answer that breaks off, wherever it does, is an error and never a shorter answer."""

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from queries.errors import RefusedError
from queries.streaming import stream_rows
from reports.exports.streaming import stream_columns
from sinks.client import connect, insert_rows, is_transient

pytestmark = pytest.mark.slow

Stream = Callable[[Client, Path], int]


class Body(io.BytesIO):
    """A client whose answers are these bytes."""

    def raw_stream(self, *_: Any, **__: Any) -> "Body":
        return self


class Cutter(threading.Thread):
    """Stands before a server; passes on `limit` bytes of what it answers on each connection, and closes that."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.limit = 1 << 30
        self.passed = 0
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.start()

    def run(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._server)) as server:
            threading.Thread(target=_pass_on, args=(client, server), daemon=True).start()
            left = self.limit
            while left > 0 and (data := server.recv(min(left, 65_536))):
                client.sendall(data)
                left -= len(data)
                self.passed += len(data)
            for end in (client, server):
                end.shutdown(socket.SHUT_RDWR)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            target.sendall(data)
    except OSError:
        pass


@pytest.fixture
def cutter(clickhouse: str) -> Iterator[Cutter]:
    with closing(Cutter(int(clickhouse.rpartition(":")[2]))) as found:
        yield found


def outcome(ask: Callable[[], object]) -> object:
    """What is answered, or None for an error that is worth another try; any other error is raised."""
    try:
        return ask()
    except Exception as error:
        if not is_transient(error):
            raise
        return None


@pytest.mark.parametrize("sql", ["SELECT number, toString(number) FROM numbers(40)", "SELECT 1 WHERE false"])
def test_a_query_is_answered_whole_or_not_at_all(cutter: Cutter, sql: str) -> None:
    """Wherever the connection ends: a page of cells that reads as empty would be counted anew from 0."""
    client = connect(f"http://127.0.0.1:{cutter.port}", database="default")
    cutter.passed = 0
    whole = client.query(sql).result_rows
    answers = {}
    for limit in range(cutter.passed):
        client.close_connections()
        cutter.limit = limit
        answers[limit] = outcome(lambda: client.query(sql).result_rows)
    assert len(answers) > 300
    assert {limit: rows for limit, rows in answers.items() if rows not in (None, whole)} == {}
    assert list(answers.values()).count(None) > 300


def by_rows(client: Client, statement: Path) -> int:
    return len(list(stream_rows(client, statement, {}, 2)))


def by_columns(client: Client, statement: Path) -> int:
    return sum(map(len, stream_columns(client, statement, {}, ("number", "text"))))


@pytest.mark.parametrize("stream", [by_rows, by_columns])
def test_a_report_is_streamed_whole_or_is_an_error(cutter: Cutter, tmp_path: Path, stream: Stream) -> None:
    """Rows that came before the end are given out; then it is an error, so a file of them is never issued."""
    statement = tmp_path / "rows.sql"
    statement.write_text("SELECT number, repeat('x', 40) FROM numbers(3000) ORDER BY number")
    client = connect(f"http://127.0.0.1:{cutter.port}", database="default")
    cutter.passed = 0
    assert stream(client, statement) == 3000
    size = cutter.passed
    for limit in (*range(0, 500, 20), *range(500, size - 20, size // 60), *range(size - 20, size)):
        client.close_connections()
        cutter.limit = limit
        with pytest.raises((ClickHouseError, RefusedError, OSError, HTTPError)):
            stream(client, statement)


@pytest.mark.parametrize("stream", [by_rows, by_columns])
@pytest.mark.parametrize("end", [b"Code: 241. DB::Exception: Memory limit exceeded\n", b"2\tx", b'["2", "x'])
@pytest.mark.parametrize("before", [0, 3, 400_000])
def test_what_is_no_row_is_named(tmp_path: Path, stream: Stream, end: bytes, before: int) -> None:
    """Whatever carried it: an error in the body, or half a row, with nothing in HTTP that tells of it."""
    statement = tmp_path / "rows.sql"
    statement.write_text("SELECT 1")
    rows = b"1\tx\n" if stream is by_columns else b'["1", "x"]\n'
    body, threads = Body(rows * before + end), threading.active_count()
    with pytest.raises(RefusedError, match=r"broke off in the middle of a report: .*(Memory limit exceeded|2.*x)"):
        stream(cast(Client, body), statement)
    assert body.closed
    assert threading.active_count() == threads


def test_any_text_is_streamed_in_columns(clickhouse: str, tmp_path: Path) -> None:
    client = connect(clickhouse, database="default")
    texts = [
        "",
        "\\",
        "\\n",
        "\\\\t\t",
        "o'neill",
        '"',
        "a\r\nb",
        "\b\f\v\a\0\x01\x1f\x7f",
        "\ufeffé\u2028🙂",
        "\\N",
        " ",
    ]
    statement = tmp_path / "texts.sql"
    statement.write_text("SELECT toString(number), {texts:Array(String)}[number + 1] FROM numbers(11) ORDER BY number")
    (found,) = stream_columns(client, statement, {"texts": texts}, ("number", "text"))
    assert found["text"].to_pylist() == texts
    assert found["number"].to_pylist() == [str(number) for number in range(11)]


def test_whoever_stops_reading_closes_the_answer(tmp_path: Path) -> None:
    statement = tmp_path / "rows.sql"
    statement.write_text("SELECT 1")
    body = Body(b"1\tx\n" * 1_000_000)
    threads = threading.active_count()
    rows = stream_columns(cast(Client, body), statement, {}, ("number", "text"))
    assert len(next(rows)) > 1000
    assert not body.closed
    rows.close()
    assert body.closed
    assert threading.active_count() == threads


def test_an_insert_is_confirmed_or_not_at_all(cutter: Cutter, clickhouse: str) -> None:
    direct = connect(clickhouse, database="default")
    direct.command("CREATE DATABASE IF NOT EXISTS broken_answers")
    direct.database = "broken_answers"
    direct.command("CREATE TABLE taken (n UInt32) ENGINE = MergeTree ORDER BY n")
    through = connect(f"http://127.0.0.1:{cutter.port}", database="broken_answers")
    cutter.passed = 0
    insert_rows(through, "taken", ["n"], [[1_000_000]])
    confirmed = {limit for limit in range(0, cutter.passed, 5) if is_confirmed(through, cutter, limit)}
    taken = {n for (n,) in direct.query("SELECT n FROM taken").result_rows}
    direct.command("DROP TABLE taken")
    assert confirmed <= taken
    assert not {limit for limit in confirmed if limit < 100}, "an answer without a length confirms nothing"


def is_confirmed(client: Client, cutter: Cutter, limit: int) -> bool:
    """Whether an insert of the number `limit` counts as confirmed when so much of its answer arrives."""
    client.close_connections()
    cutter.limit = limit

    def insert() -> bool:
        insert_rows(client, "taken", ["n"], [[limit]])
        return True

    return outcome(insert) is not None


def test_a_plain_client_takes_an_answer_without_its_head_for_an_empty_one(cutter: Cutter) -> None:
    """The control: why connections are made as they are."""
    plain = clickhouse_connect.get_client(host="127.0.0.1", port=cutter.port)
    cutter.limit = 60
    plain.close_connections()
    assert plain.query("SELECT number FROM numbers(40)").result_rows == []
