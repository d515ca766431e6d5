"""docs/operations.md says what is so: every setting, metric and exit code, and lines that the program really writes.

`python -m tests.unit.test_operations_page` prints the tables that the page must hold.
"""

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from pydantic_core import PydanticUndefined

from cli.main import app
from deploy.errors import MEANINGS
from deploy.settings import Settings, is_secret
from worker.prometheus import Name

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
FOLDERS = ["client/tally_client" if name == "tally_client" else name for name in PACKAGES]


def settings_table() -> list[str]:
    """One line a setting: name, default, what it is."""
    return [
        f"| `{name}` | {_default(name)} | {field.description}{' (secret)' if is_secret(name) else ''} |"
        for name, field in Settings.model_fields.items()
    ]


def _default(name: str) -> str:
    default = Settings.model_fields[name].default
    if name == "reports_dir":
        return "`reports` in `data_dir`"
    assert default is not PydanticUndefined
    return "" if default in (None, "") or is_secret(name) else f"`{default}`"


def exit_code_table() -> list[str]:
    """One line an exit code."""
    return [f"| {int(code)} | {meaning} |" for code, meaning in MEANINGS.items()]


def quoted_lines() -> list[str]:
    """The program's lines that the page explains: the first cell of each row of its table of lines."""
    section = PAGE.partition("## Lines that you may meet")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE)


def source_text() -> str:
    """All code, with texts that are broken over lines put together, and what is filled in left out."""
    code = "\n".join(path.read_text() for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
    joined = re.sub(r'"\s*\n\s*(?:f|rf)?"', "", code)
    return re.sub(r"\{[^{}\n]*\}|%s|%\.1f|%d", "…", joined)


def test_every_setting_stands_there_as_it_is() -> None:
    assert [line for line in settings_table() if line not in PAGE] == []


def test_every_exit_code_stands_there_as_it_is() -> None:
    assert [line for line in exit_code_table() if line not in PAGE] == []


def test_every_metric_stands_there_and_no_other() -> None:
    assert set(re.findall(r"tally_(?:source|worker|exporter)_[a-z_]+", PAGE)) == set(get_args(Name))


@pytest.mark.parametrize("line", quoted_lines())
def test_a_line_that_is_explained_is_one_that_the_program_writes(line: str) -> None:
    pieces = [piece.strip() for piece in line.split("…") if len(piece.strip()) > 3]
    assert pieces, f"{line!r} names nothing to look for"
    text = source_text()
    assert [piece for piece in pieces if piece not in text] == []


def test_lines_are_explained_at_all() -> None:
    assert len(quoted_lines()) > 15


def test_every_command_that_it_names_exists() -> None:
    known = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    known |= {group.typer_instance.info.name for group in app.registered_groups if group.typer_instance}
    named = set(re.findall(r"`tally ([a-z][a-z-]*)", PAGE))
    assert named - known == set()


if __name__ == "__main__":
    print("\n".join([*settings_table(), "", *exit_code_table()]))
