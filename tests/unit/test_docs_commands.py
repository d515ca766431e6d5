"""Commands in the documents: each `tally ...` in a code block is a command that exists, with options that it has."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from cli.main import app
from deploy.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^ *```(?:console|sh|bash)?\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
SETTING_FLAGS = {f"--{name.replace('_', '-')}" for name in Settings.model_fields}


def commands(text: str) -> list[str]:
    """The `tally` commands of a page's code blocks, without what a shell or a reader does with them."""
    lines = [line for block in BLOCK.findall(text) for line in re.sub(r"\\\n\s*", " ", block).splitlines()]
    found = [re.fullmatch(r"\s*(?:\.venv/bin/)?tally ([a-z-].*)", line) for line in lines]
    return [re.split(r" {2,}| [|#>] ", match[1])[0].replace("...", "").strip() for match in found if match]


def problem(command: str) -> str:
    """What is wrong with the words of a command, or nothing."""
    at: Any = typer.main.get_command(app)
    flags: set[str] = set()
    for word in shlex.split(command):
        if word.startswith("-") and word != "-":
            flags.add(word.partition("=")[0])
        elif isinstance(at, TyperGroup):
            if word not in at.commands:
                return f"{command!r}: there is no {word}"
            at = at.commands[word]
    if isinstance(at, TyperGroup):
        return f"{command!r} is incomplete"
    known = {option for parameter in at.params for option in (*parameter.opts, *parameter.secondary_opts)}
    unknown = flags - known - SETTING_FLAGS - {"--help"}
    return f"{command!r}: there is no {' '.join(sorted(unknown))}" if unknown else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_exists_with_its_options(page: Path) -> None:
    assert [found for command in commands(page.read_text()) if (found := problem(command))] == []


def test_commands_are_found() -> None:
    assert sum(len(commands(page.read_text())) for page in PAGES) > 30


@pytest.mark.parametrize("wrong", ["nothing", "prices", "prices lode", "verify --form 2026-11-01", "doctor --loud"])
def test_a_command_that_is_wrong_is_noticed(wrong: str) -> None:
    assert problem(wrong)
