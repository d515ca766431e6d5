"""An answer that breaks off, wherever it does, is an error and never a shorter answer."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from reports.errors import ReportError
from reports.streaming import stream_rows
from sinks.clickhouse import connect, insert_rows, is_transient


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


def test_a_report_is_streamed_whole_or_is_an_error(cutter: Cutter, tmp_path: Path) -> None:
    """Rows that came before the end are given out; then it is an error, so a file of them is never issued."""
    statement = tmp_path / "rows.sql"
    statement.write_text("SELECT number, repeat('x', 40) FROM numbers(3000) ORDER BY number")
    client = connect(f"http://127.0.0.1:{cutter.port}", database="default")
    cutter.passed = 0
    assert len(list(stream_rows(client, statement, {}, 2))) == 3000
    size = cutter.passed
    for limit in (*range(0, 500, 20), *range(500, size - 20, size // 60), *range(size - 20, size)):
        client.close_connections()
        cutter.limit = limit
        with pytest.raises((ClickHouseError, ReportError, OSError, HTTPError)):
            list(stream_rows(client, statement, {}, 2))


def test_an_insert_is_confirmed_or_not_at_all(cutter: Cutter, clickhouse: str) -> None:
    direct = connect(clickhouse, database="default")
    direct.command("CREATE TABLE taken (n UInt32) ENGINE = MergeTree ORDER BY n")
    through = connect(f"http://127.0.0.1:{cutter.port}", database="default")
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
    return outcome(lambda: insert_rows(client, "taken", ["n"], [[limit]]) or True) is not None


def test_a_plain_client_takes_an_answer_without_its_head_for_an_empty_one(cutter: Cutter) -> None:
    """The control: why connections are made as they are."""
    plain = clickhouse_connect.get_client(host="127.0.0.1", port=cutter.port)
    cutter.limit = 60
    plain.close_connections()
    assert plain.query("SELECT number FROM numbers(40)").result_rows == []
