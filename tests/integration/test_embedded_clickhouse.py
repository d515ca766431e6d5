"""The embedded ClickHouse server, asked by the client Tally uses and by plain HTTP."""

import asyncio
import gzip
import http.client
import itertools
import json
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, urlencode, urlparse

import clickhouse_connect
import lz4.frame
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError


@pytest.fixture
def database(clickhouse: str) -> Iterator[str]:
    """A new database."""
    name = f"wire_{uuid.uuid4().hex[:8]}"
    client = connect(clickhouse)
    client.command(f"CREATE DATABASE {name}")
    yield name
    client.command(f"DROP DATABASE {name}")


@pytest.fixture
def client(clickhouse: str, database: str) -> Client:
    """A client in a database of its own."""
    return connect(clickhouse, database)


@pytest.fixture
def events(client: Client) -> str:
    """An empty table with a number and a text."""
    client.command("CREATE TABLE events (n UInt64, s LowCardinality(String)) ENGINE = MergeTree ORDER BY n")
    return "events"


def connect(url: str, database: str = "default") -> Client:
    address = urlparse(url)
    return clickhouse_connect.get_client(
        host=address.hostname, port=address.port, database=database, autogenerate_session_id=False
    )


def http_call(
    url: str, body: bytes = b"", method: str = "POST", headers: dict[str, str] | None = None, **parameters: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(str(urlparse(url).hostname), urlparse(url).port, timeout=20)
    connection.request(method, "/?" + urlencode(parameters), body, headers or {})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, content


def test_native_insert_and_query_round_trip(client: Client, events: str) -> None:
    rows = [(1, "one"), (2, "zwei ü"), (2**64 - 1, "")]
    assert client.insert(events, rows, column_names=["n", "s"]).written_rows == 3
    assert client.query("SELECT * FROM events ORDER BY n").result_rows == rows


@pytest.mark.parametrize(
    ("fmt", "data"),
    [
        ("JSONCompactEachRow", b'[1,"a"]\n[2,"b\\nc"]\n'),
        ("JSONEachRow", b'{"n":1,"s":"a"}\n{"n":2,"s":"b\\nc"}'),
        ("CSV", b'1,a\n2,"b\nc"\n'),
        ("TSV", b"1\ta\n2\tb\\nc\n"),
        ("RowBinary", b"\1" + bytes(7) + b"\1a" + b"\2" + bytes(7) + b"\3b\nc"),
        ("Values", b"(1,'a'),(2,'b\nc')"),
    ],
)
@pytest.mark.parametrize("compression", [None, "lz4", "gzip"])
def test_raw_insert(client: Client, events: str, fmt: str, data: bytes, compression: str | None) -> None:
    packed = {None: bytes, "lz4": lz4.frame.compress, "gzip": gzip.compress}[compression](data)
    summary = client.raw_insert(events, ["n", "s"], packed, fmt=fmt, compression=compression)
    assert summary.written_rows == 2
    assert client.query("SELECT n, s FROM events ORDER BY n").result_rows == [(1, "a"), (2, "b\nc")]


def test_statement_in_url_and_data_in_body(clickhouse: str, client: Client, database: str, events: str) -> None:
    for query, body in [
        ("INSERT INTO events FORMAT CSV", b"1,a\n"),
        ("INSERT INTO events (n, s) SETTINGS max_insert_threads = 1 FORMAT JSONEachRow", b'{"n":2,"s":"x"}'),
        ("INSERT INTO events VALUES", b"(3, 'FORMAT CSV')"),
        ("INSERT INTO events FORMAT CSV", b""),
    ]:
        assert http_call(clickhouse, body, query=query, database=database)[0].status == 200
    assert client.query("SELECT n FROM events ORDER BY n").result_columns == [[1, 2, 3]]


def test_insert_in_many_pieces_is_confirmed_whole(client: Client, events: str) -> None:
    pieces = (b"%d,%s\n" % (n, b"x" * 100) for n in range(20_000))
    assert client.raw_insert(events, ["n", "s"], pieces, fmt="CSV").written_rows == 20_000
    assert client.query("SELECT count(), sum(n) FROM events").result_rows == [(20_000, 199_990_000)]


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        ("CSV", b'1,"a"\n'),
        ("CSVWithNames", b'"n","s"\n1,"a"\n'),
        ("TSV", b"1\ta\n"),
        ("TSVWithNamesAndTypes", b"n\ts\nUInt64\tLowCardinality(String)\n1\ta\n"),
        ("JSONCompactEachRow", b'[1, "a"]\n'),
        ("RowBinaryWithNamesAndTypes", b"\2\1n\1s\6UInt64\x16LowCardinality(String)\1" + bytes(7) + b"\1a"),
    ],
)
def test_output_formats(client: Client, events: str, fmt: str, expected: bytes) -> None:
    client.insert(events, [(1, "a")])
    assert client.raw_query("SELECT * FROM events", fmt=fmt) == expected


@pytest.mark.parametrize("fmt", ["CSVWithNames", "TSVWithNamesAndTypes", "JSONCompactEachRowWithNames"])
def test_header_comes_once_and_even_without_rows(client: Client, fmt: str) -> None:
    query = 'SELECT number AS "a""b\n", 1 AS c FROM numbers({rows:UInt64})'
    whole = client.raw_query(query, {"rows": 300_000}, fmt=fmt)
    header = client.raw_query(query, {"rows": 0}, fmt=fmt)
    assert header
    assert whole.startswith(header)
    assert whole.count(header) == 1
    assert whole.removeprefix(header).count(b"\n") == 300_000


def test_json_result_is_one_document(client: Client) -> None:
    document = json.loads(client.raw_query("SELECT number FROM numbers(200000)", fmt="JSON"))
    assert document["rows"] == len(document["data"]) == 200_000


def test_large_result_streams_in_constant_memory(client: Client) -> None:
    import psutil

    server = psutil.Process(_server_pid(client))
    before = server.memory_info().rss
    received = 0
    query = "SELECT number, repeat('x', 90) FROM numbers(10000000)"
    with client.raw_stream(query, fmt="RowBinary") as stream:
        while piece := stream.read(1 << 20):
            received += len(piece)
    assert received == 99 * 10_000_000
    assert server.memory_info().rss - before < 300 << 20  # of a result of 990 MB


def _server_pid(client: Client) -> int:
    import psutil

    port = urlparse(client.url).port
    listens = (c for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port)
    return next(int(c.pid) for c in listens if c.status == psutil.CONN_LISTEN and c.pid)


def test_parameters_of_all_kinds(client: Client) -> None:
    given = {"id": uuid.uuid4(), "names": ["a'b", "c\\d", "tab\there"], "day": "2026-02-28", "text": "x\ny\\"}
    query = "SELECT {id:UUID}, {names:Array(String)}, toString({day:Date}), {text:String}"
    assert client.query(query, given).result_rows == [(given["id"], given["names"], given["day"], given["text"])]


def test_long_parameters_sent_as_a_form(clickhouse: str, client: Client) -> None:
    port = urlparse(clickhouse).port
    form = clickhouse_connect.get_client(
        host="127.0.0.1", port=port, autogenerate_session_id=False, form_encode_query_params=True
    )
    ids = [str(uuid.uuid4()) for _ in range(5000)]
    for each in (client, form):
        assert each.query("SELECT length({ids:Array(UUID)})", {"ids": ids}).result_rows == [(5000,)]


def test_settings_last_for_one_statement(client: Client) -> None:
    query = "SELECT getSetting('max_threads')"
    assert client.query(query, settings={"max_threads": 1}).result_rows == [(1,)]
    usual = client.query(query).result_rows
    client.query(query, settings={"max_threads": 7})
    assert client.query(query).result_rows == usual


def test_database_parameter(client: Client, clickhouse: str, database: str) -> None:
    assert client.command("SELECT currentDatabase()") == database
    assert connect(clickhouse).command("SELECT currentDatabase()") == "default"


@pytest.mark.parametrize(
    ("statement", "code", "name", "status"),
    [
        ("SELEC 1", 62, "SYNTAX_ERROR", 400),
        ("SELECT nosuch", 47, "UNKNOWN_IDENTIFIER", 404),
        ("SELECT * FROM nosuch", 60, "UNKNOWN_TABLE", 404),
        ("SELECT throwIf(1)", 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO", 500),
        ("SELECT 1 SETTINGS nosuch = 1", 115, "UNKNOWN_SETTING", 404),
        ("DROP TABLE nosuch", 60, "UNKNOWN_TABLE", 404),
        ("INSERT INTO nosuch FORMAT CSV\n1\n", 60, "UNKNOWN_TABLE", 404),
        ("INSERT INTO nosuch SELECT * FROM input('a Int8') FORMAT CSV\n1\n", 48, "NOT_IMPLEMENTED", 501),
        ("DROP TABLE IF EXISTS a; DROP TABLE IF EXISTS b", 62, "SYNTAX_ERROR", 400),
        ("SELECT {p:UInt8}", 456, "UNKNOWN_QUERY_PARAMETER", 400),
        ("SELECT * FROM numbers(10) SETTINGS max_result_rows = 1", 396, "TOO_MANY_ROWS_OR_BYTES", 500),
    ],
)
def test_error_codes(clickhouse: str, database: str, statement: str, code: int, name: str, status: int) -> None:
    response, body = http_call(clickhouse, statement.encode(), database=database)
    assert response.status == status
    assert response.headers["X-ClickHouse-Exception-Code"] == str(code)
    assert body.startswith(b"Code: %d. DB::Exception: " % code)
    assert f"({name})".encode() in body
    with pytest.raises(DatabaseError) as caught:
        connect(clickhouse, database).command(statement)
    assert (caught.value.code, caught.value.name) == (code, name)


def test_refusals_of_the_protocol(clickhouse: str) -> None:
    for name, value, code in [("database", "nosuch", "81"), ("nosuch", "1", "115"), ("a-b", "1", "115")]:
        parameters: dict[str, Any] = {name: value}
        response, _ = http_call(clickhouse, b"SELECT 1", **parameters)
        assert response.headers["X-ClickHouse-Exception-Code"] == code
    response, _ = http_call(clickhouse, method="GET", query="CREATE TABLE t (a Int8) ENGINE = Memory")
    assert response.headers["X-ClickHouse-Exception-Code"] == "164"


def test_malformed_rows_are_refused_and_none_is_kept(client: Client, events: str) -> None:
    with pytest.raises(DatabaseError, match="CANNOT_PARSE"):
        client.raw_insert(events, ["n", "s"], b"1,a\nnot a number,b\n", fmt="CSV")
    assert client.command("SELECT count() FROM events") == 0


@pytest.mark.parametrize("body", [b"garbage", gzip.compress(b"1,a\n" * 1000)[:-9]], ids=["no gzip", "cut off"])
def test_broken_compression_is_refused(clickhouse: str, client: Client, database: str, body: bytes) -> None:
    client.command("CREATE TABLE broken (n UInt64, s String) ENGINE = MergeTree ORDER BY n")
    response, text = http_call(
        clickhouse,
        body,
        headers={"Content-Encoding": "gzip"},
        query="INSERT INTO broken FORMAT CSV",
        database=database,
    )
    assert response.status == 400, text
    assert client.command("SELECT count() FROM broken") == 0


def test_error_after_a_part_was_sent_is_an_error(client: Client) -> None:
    failing = "SELECT number, throwIf(number = 900000) FROM numbers(1000000)"
    with (
        pytest.raises(StreamFailureError, match="throwIf"),
        client.query_row_block_stream(failing) as blocks,
    ):
        for _ in blocks:
            pass
    with pytest.raises(Exception, match=r"IncompleteRead|Connection broken"):
        client.raw_stream(failing, fmt="CSV").read()
    with pytest.raises(DatabaseError, match="395"):
        client.query(failing)


@pytest.mark.parametrize("encoding", ["lz4", "zstd", "gzip"])
def test_response_is_compressed_when_asked(clickhouse: str, encoding: str) -> None:
    accept = {"Accept-Encoding": encoding}
    query = b"SELECT number FROM numbers(100000)"
    plain, body = http_call(clickhouse, query, headers=accept)
    packed, small = http_call(clickhouse, query, headers=accept, enable_http_compression="1")
    assert plain.headers["Content-Encoding"] is None
    assert packed.headers["Content-Encoding"] == encoding
    assert len(small) < len(body)
    reader = clickhouse_connect.get_client(
        host="127.0.0.1", port=urlparse(clickhouse).port, compress=encoding, autogenerate_session_id=False
    )
    assert reader.query("SELECT sum(number) FROM numbers(1000)").result_rows == [(499_500,)]


def test_headers(clickhouse: str) -> None:
    response, _ = http_call(clickhouse, b"SELECT number FROM numbers(10) FORMAT JSON", query_id="mine")
    assert response.headers["X-ClickHouse-Query-Id"] == "mine"
    assert response.headers["X-ClickHouse-Format"] == "JSON"
    assert response.headers["X-ClickHouse-Timezone"] == "UTC"
    summary = json.loads(response.headers["X-ClickHouse-Summary"])
    assert (summary["result_rows"], summary["read_rows"]) == ("10", "10")
    assert http_call(clickhouse, method="GET")[1] == b"Ok.\n"


def test_statement_ends_when_its_client_goes_away(clickhouse: str, client: Client) -> None:
    endless = b"SELECT sum(sipHash64(number)) FROM numbers(1000000000000)"
    address = urlparse(clickhouse)
    with socket.create_connection((str(address.hostname), address.port or 0)) as gone:
        head = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(endless)}\r\n\r\n"
        gone.sendall(head.encode() + endless)
        assert _comes_true(lambda: _running(client, endless) == 1)
    assert _comes_true(lambda: _running(client, endless) == 0)


def test_insert_that_breaks_off_is_not_kept(clickhouse: str, client: Client, database: str, events: str) -> None:
    address, query = urlparse(clickhouse), urlencode({"query": f"INSERT INTO {database}.{events} FORMAT CSV"})
    with socket.create_connection((str(address.hostname), address.port or 0)) as gone:
        gone.sendall(f"POST /?{query} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n".encode() + b"1,a\n")
        time.sleep(0.2)
    assert _comes_true(lambda: client.command("SELECT count() FROM system.processes") == 1)
    assert client.command(f"SELECT count() FROM {events}") == 0


def _running(client: Client, query: bytes) -> int:
    counted = client.command("SELECT count() FROM system.processes WHERE query = {q:String}", {"q": query.decode()})
    assert isinstance(counted, int)
    return counted


def _comes_true(condition: Callable[[], bool], seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_queries_and_inserts_at_the_same_time(clickhouse: str, client: Client, database: str, events: str) -> None:
    def read(_: int) -> list[int]:
        mine = connect(clickhouse, database)
        return [int(mine.command("SELECT count() FROM events")) for _ in range(15)]

    def write(number: int) -> int:
        mine = connect(clickhouse, database)
        return sum(mine.insert(events, [(number, str(k))] * 10).written_rows for k in range(15))

    with ThreadPoolExecutor(16) as pool:
        readers = [pool.submit(read, n) for n in range(8)]
        written = sum(pool.map(write, range(8)))
    assert written == 8 * 150 == client.command("SELECT count() FROM events")
    for reader in readers:
        counts = reader.result()
        assert counts == sorted(counts)  # nobody ever saw a confirmed row missing again


async def test_async_client(clickhouse: str, database: str) -> None:
    address = urlparse(clickhouse)
    client = await clickhouse_connect.get_async_client(
        host=address.hostname, port=address.port, database=database, autogenerate_session_id=False
    )
    await client.command("CREATE TABLE a (n UInt64) ENGINE = MergeTree ORDER BY n")
    assert (await client.insert("a", [[n] for n in range(1000)], column_names=["n"])).written_rows == 1000
    slept = await asyncio.gather(*(client.query("SELECT toUnixTimestamp64Milli(now64(3)), sleep(3)") for _ in range(8)))
    began = sorted(result.result_rows[0][0] for result in slept)
    assert any(second < first + 3000 for first, second in itertools.pairwise(began)), "one after another"
    async with await client.query_rows_stream("SELECT n FROM a ORDER BY n") as rows:
        assert [row[0] async for row in rows] == list(range(1000))
    assert (await client.raw_query("SELECT max(n) FROM a")) == b"999\n"
    await client.close()


def test_quoting_in_the_url(clickhouse: str) -> None:
    response, body = http_call(clickhouse, method="GET", query="SELECT 'a+b & c%' AS \"x=y\" FORMAT TSVWithNames")
    assert (response.status, body) == (200, b"x=y\na+b & c%\n")
    assert quote("é") == "%C3%A9"
    assert http_call(clickhouse, "SELECT 'é'".encode())[1] == "é\n".encode()
