"""Where a statement ends and its data begins, and which format its result has."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.embedded.clickhouse_formats import content_type, header_of, joins
from deploy.embedded.clickhouse_request import read_tokens
from deploy.embedded.clickhouse_sql import SHORT, facts_of, split_insert


@pytest.mark.parametrize(
    ("sql", "statement", "fmt", "data"),
    [
        (b"INSERT INTO t FORMAT CSV\n1,2", b"INSERT INTO t ", "CSV", b"1,2"),
        (b"insert into d.t (a, format) format Native\r\nXY", b"insert into d.t (a, format) ", "Native", b"XY"),
        (b"INSERT INTO format FORMAT TSV 1", b"INSERT INTO format ", "TSV", b"1"),
        (b"INSERT INTO d.format FORMAT TSV\n", b"INSERT INTO d.format ", "TSV", b""),
        (b"INSERT INTO `a FORMAT b` FORMAT TSV\n\n", b"INSERT INTO `a FORMAT b` ", "TSV", b"\n"),
        (b"/* FORMAT x */ INSERT -- VALUES\n INTO t FORMAT TSV\nx", None, "TSV", b"x"),
        (b"INSERT INTO t SETTINGS a = 'FORMAT x' FORMAT Values (1)", None, "Values", b"(1)"),
        (b"INSERT INTO TABLE FUNCTION file('f', 'CSV') FORMAT CSV\n1", None, "CSV", b"1"),
        (b"INSERT INTO t FORMAT RowBinary\n\n\x00'\xff", b"INSERT INTO t ", "RowBinary", b"\n\x00'\xff"),
    ],
)
def test_insert_with_data_is_taken_apart(sql: bytes, statement: bytes | None, fmt: str, data: bytes) -> None:
    head = split_insert(sql)
    assert head is not None
    assert (head.format, sql[head.data_start :]) == (fmt, data)
    assert statement is None or head.statement == statement


@pytest.mark.parametrize(
    "sql",
    [
        b"",
        b"SELECT 1 FORMAT CSV",
        b"INSERT INTO t VALUES (1, 'FORMAT CSV')",
        b"INSERT INTO t SELECT 1 FORMAT CSV",
        b"INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x",
        b"INSERT INTO t FROM INFILE 'x' FORMAT CSV",
        b"INSERT INTO t (a) FORM",
        b"INSERT INTO t FORMAT",
    ],
)
def test_other_statements_stay_whole(sql: bytes) -> None:
    assert split_insert(sql) is None


_QUOTED = st.text(st.characters(codec="utf-8"), max_size=20).map(
    lambda text: "`" + text.replace("\\", "\\\\").replace("`", "\\`") + "`"
)


@given(table=_QUOTED, columns=st.lists(_QUOTED, max_size=3), data=st.binary(max_size=50))
def test_any_names_and_any_data(table: str, columns: list[str], data: bytes) -> None:
    statement = f"INSERT INTO {table} ({', '.join(columns)}) ".encode()
    head = split_insert(statement + b"FORMAT Native\n" + data)
    assert head is not None
    assert (head.statement, head.format) == (statement, "Native")
    assert (statement + b"FORMAT Native\n" + data)[head.data_start :] == data


@pytest.mark.parametrize(
    ("sql", "fmt"),
    [
        (b"SELECT 1", None),
        (b"SELECT 1 FORMAT JSON", "JSON"),
        (b"SELECT 1\n FORMAT Native", "Native"),
        (b"select 1 format CSV settings max_threads = 1;", "CSV"),
        (b"SELECT 'x FORMAT CSV'", None),
        (b"SELECT format FROM t", None),
        (b"SELECT format x FROM t", None),
        (b"SELECT (SELECT 1 FORMAT CSV)", None),
        (b"SELECT 1 -- FORMAT CSV", None),
        (b"SELECT format, 1 FORMAT TSV /* end */", "TSV"),
    ],
)
def test_result_format(sql: bytes, fmt: str | None) -> None:
    assert facts_of(sql).format == fmt


def test_kinds_of_statements() -> None:
    assert facts_of(b" -- all\n(select 1)").may_stream
    assert facts_of(b"WITH 1 AS x SELECT x").may_stream
    assert not facts_of(b"SHOW TABLES").may_stream
    assert facts_of(b"SHOW TABLES").returns_rows
    assert not facts_of(b"CREATE TABLE t (a Int8) ENGINE = Memory").returns_rows
    assert facts_of(b" /* nothing */ ").is_empty
    assert not facts_of(b"").returns_rows
    assert facts_of(b"INSERT INTO t SELECT * FROM Input ('a Int8') FORMAT CSV\n1").inlined
    assert not facts_of(b"INSERT INTO t SELECT 'input(' FROM x").inlined
    assert not facts_of(b"SELECT * FROM input('a Int8')").inlined


@pytest.mark.parametrize("read", ["SELECT 1", "with 1 AS x SELECT x", "FROM t SELECT 1", "SHOW TABLES", "DESC t",
                                  "EXISTS t", "EXPLAIN SELECT 1", "((SELECT 1))"])  # fmt: skip
def test_statements_that_read(read: str) -> None:
    assert facts_of(read.encode()).reads


@pytest.mark.parametrize("other", ["INSERT INTO t VALUES (1)", "SET a = 1", "DROP TABLE t", "SYSTEM STOP MERGES", "",
                                   "KILL QUERY WHERE 1", "BACKUP TABLE t TO File('x')", "VALUES (1)"])  # fmt: skip
def test_statements_that_do_more_than_read(other: str) -> None:
    assert not facts_of(other.encode()).reads


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT file('/etc/passwd')",
        "SELECT FILE /* here */ ('/etc/passwd')",
        'SELECT "file"(x)',
        'SELECT "fi\\x6Ce"(x)',
        "SELECT `f\\ile` (x)",
        "INSERT INTO t VALUES (file('x'))",
        "SELECT * FROM Python(x)",
        "SELECT * FROM format(Values, 'x String', '(file(1))')",
        "CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = 'x')",
        "SELECT * FROM executable('x', 'CSV', 'a String')",
        "SELECT 1 INTO/**/outfile 'x'",
        "SELECT \u2018 ' \u2019 INTO OUTFILE \u2018 ' \u2019",
        "INSERT INTO t FROM INFILE 'x' FORMAT CSV",
    ],
)
def test_what_opens_files_is_noticed_however_it_is_written(sql: str) -> None:
    assert facts_of(sql.encode()).reaches_out


def test_a_word_alone_opens_no_file() -> None:
    assert not facts_of(
        b"SELECT file, 'file(' AS python FROM profiles /* file( */ WHERE kind = 'executable'"
    ).reaches_out


@pytest.mark.parametrize("part", [b"$a%d$ ", b"/* ", b"'\\", b'"\\', b"`", b"''", b"(", b"\\", b"#!", b"-- ", b"a$"])
def test_reading_takes_a_time_that_grows_with_the_length_alone(part: bytes) -> None:
    def seconds(times: int) -> float:
        sql = b"SELECT " + b"".join(part % n if b"%d" in part else part for n in range(times))
        began = time.process_time()
        facts_of(sql)
        split_insert(b"INSERT INTO t (" + sql)
        return time.process_time() - began

    # Sixteen times the length took 256 times as long where reading was quadratic, whatever the machine.
    assert seconds(160_000) < 60 * max(seconds(10_000), 0.005)


@pytest.mark.parametrize(
    ("fmt", "header", "rows"),
    [
        ("CSVWithNames", b'"a\n""b","c"\n', b"1,2\n"),
        ("CSVWithNamesAndTypes", b'"a"\n"UInt8"\n', b"1\n"),
        ("TSVWithNames", b"a\\n\tb\n", b"1\t2\n"),
        ("JSONCompactEachRowWithNamesAndTypes", b'["a"]\n["UInt8"]\n', b"[1]\n"),
        ("RowBinaryWithNames", b"\x02\x01a\x80\x01" + b"b" * 128, b"\x01\x02"),
        ("RowBinaryWithNamesAndTypes", b"\x01\x01a\x05UInt8", b"\x01"),
        ("CSV", b"", b"1\n"),
        ("Native", b"", b"\x01\x01"),
    ],
)
def test_header_of_a_block(fmt: str, header: bytes, rows: bytes) -> None:
    assert header_of(fmt, header + rows) == header
    assert joins(fmt)


def test_formats_with_an_envelope_do_not_join() -> None:
    assert not any(joins(fmt) for fmt in ("JSON", "JSONCompact", "Parquet", "Arrow", "Pretty", "Values", "XML"))


def test_content_types() -> None:
    assert content_type("JSONEachRow").startswith("application/json")
    assert content_type("TabSeparated").startswith("text/tab-separated-values")
    assert content_type("CSVWithNames").startswith("text/csv")
    assert content_type("Native") == "application/octet-stream"


def test_the_tokens_of_a_statement_that_comes_again_are_read_once_unless_it_is_very_long() -> None:
    query, data = b"SELECT {name:String} FORMAT CSV", b"SELECT '" + b"x" * (1 << 20) + b"'"
    assert facts_of(query) is facts_of(bytes(bytearray(query)))
    assert facts_of(data) == facts_of(data)
    assert facts_of(data) is not facts_of(data)


async def test_only_a_long_statement_is_read_in_a_thread() -> None:
    assert await read_tokens(SHORT, threading.get_ident) == threading.get_ident()
    assert await read_tokens(SHORT + 1, threading.get_ident) != threading.get_ident()
