"""A test module can be read alone: what several share is in tests/support, tests/reference or a conftest.py."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("tests", "bench", "examples")
MODULES = sorted(path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def imports(source: str) -> Iterator[str]:
    """The dotted name of everything that a module imports, inside of functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}" for alias in node.names)


def imports_of_test_modules(source: str) -> list[str]:
    return [name for name in imports(source) if any(part.startswith("test_") for part in name.split("."))]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_no_test_module(module: str) -> None:
    assert imports_of_test_modules((ROOT / module).read_text()) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from tests.unit.test_cli import run", ["tests.unit.test_cli.run"]),
        ("from tests.unit import test_cli", ["tests.unit.test_cli"]),
        ("from . import test_cli", [".test_cli"]),
        ("def f():\n    import tests.unit.test_cli as other", ["tests.unit.test_cli"]),
        ("from tests.support.stack import start_kafka", []),
    ],
)
def test_an_import_of_a_test_module_is_noticed(source: str, found: list[str]) -> None:
    assert imports_of_test_modules(source) == found
