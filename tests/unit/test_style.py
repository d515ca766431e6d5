"""STYLE.md is kept: words that a reader stumbles over do not come back into the documents, nor into the code."""

import ast
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_OURS = [
    r"whoever",
    r"whosever",
    r"for ever",
    r"anew",
    r"again and again",
    r"lest",
    r"mend(s|ed|ing)?",
    r"befall(s|en)?|befell",
    r"let (go|through)",
    r"without a word",
    r"(stands|stood) at",
    r"lies beyond",
    r"seldomer",
    r"is told",
    r"tells (of|on)",
    r"of its own accord",
    r"rooms?",
]
NOT_OURS_IN_CODE = [
    *NOT_OURS,
    r"asks?|asked for|who asks",
    r"tells?|told",
    r"says?|said",
    r"(some|no|every)body",
    r"so (many|much)",
    r"beside",
    r"made (of|from)",
    r"stands (there|in)",
    r"that (is|are) none",
    r"roads?|house",
]
REWRITTEN = [
    "access",
    "aggregators",
    "api",
    "cli",
    "client",
    "deploy",
    "directory",
    "files",
    "intake",
    "pricing",
    "queries",
    "reports",
    "simulation",
    ":!simulation/vocabulary.py",
    "sinks",
    "streams",
    "verify",
    "worker",
]
"""The packages whose docstrings, comments and messages are checked, as git's path patterns."""
KINDS = {".py", ".pyi", ".pyx", ".pxd", ".sql", ".html"}
PROSE = {"COMMENT", "STRING", "FSTRING_MIDDLE"}


def any_of(words: list[str]) -> re.Pattern[str]:
    """A pattern that finds each of these words, also where a line ends within one."""
    return re.compile(rf"\b(?:{'|'.join(words)})\b".replace(" ", r"\s+"), re.IGNORECASE)


WORDS, WORDS_IN_CODE = any_of(NOT_OURS), any_of(NOT_OURS_IN_CODE)
OPENING = re.compile(r'"""\s*(What|Which|Who|Whether)\b')
SQL = re.compile(r"\b(SELECT|INSERT INTO|ALTER TABLE|CREATE TABLE)\s")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
FIELD = re.compile(r"\{[^{}]*\}")
"""A replacement field of an f-string, whose names are not prose."""
MARKUP = re.compile(r"\{[{%#].*?[}%#]\}|<[^>]*>")
"""The tags of a template: what is left is what a reader of the page sees."""


def tracked(*patterns: str) -> list[str]:
    """The files of the project that match."""
    return subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()


def without_code(text: str) -> str:
    return CODE.sub(lambda code: "\n" * code[0].count("\n"), text)


def prose_of(path: Path) -> list[tuple[int, str]]:
    """Every comment and every string that contains a space and is not SQL, with the number of its line."""
    if path.suffix == ".html":
        return list(enumerate(MARKUP.sub("", path.read_text()).splitlines(), 1))
    if path.suffix == ".sql":
        return [line for line in enumerate(path.read_text().splitlines(), 1) if line[1].lstrip().startswith("--")]
    with path.open("rb") as file:
        return [
            (token.start[0], FIELD.sub("{}", without_code(token.string)))
            for token in tokenize.tokenize(file.readline)
            if tokenize.tok_name[token.type] in PROSE and " " in token.string and not SQL.search(token.string)
        ]


@pytest.mark.parametrize("page", tracked("*.md"))
def test_a_page_is_in_plain_english(page: str) -> None:
    text = without_code((ROOT / page).read_text())
    found = [
        f"{page}:{number}: {match[0]}"
        for number, line in enumerate(text.splitlines(), 1)
        for match in WORDS.finditer(line)
    ]
    assert found == []


@pytest.mark.parametrize("module", [file for file in tracked(*REWRITTEN) if Path(file).suffix in KINDS])
def test_code_is_in_plain_english(module: str) -> None:
    """Docstrings, comments and messages; a docstring begins with an imperative or a noun phrase."""
    found = [
        f"{module}:{line}: {match[0]}"
        for line, text in prose_of(ROOT / module)
        for match in [*WORDS_IN_CODE.finditer(text), *OPENING.finditer(text)]
    ]
    assert found == []


LONGEST_FUNCTION = 40
"""Lines, from the `def` to its last."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_in(body: list[ast.stmt]) -> Iterator[Function | ast.ClassDef]:
    """The functions and classes of a module, and those in its public classes, besides the overloads."""
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and "overload" not in map(ast.unparse, node.decorator_list):
            yield node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from functions_in(node.body)


@pytest.mark.parametrize("module", [file for file in tracked(*REWRITTEN) if file.endswith(".py")])
def test_functions_are_short_and_the_public_ones_have_docstrings(module: str) -> None:
    tree = ast.parse((ROOT / module).read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert [name for name, length in lengths.items() if length > LONGEST_FUNCTION] == []
    public = [node for node in functions_in(tree.body) if not node.name.startswith("_")]
    assert [node.name for node in public if not ast.get_docstring(node)] == []
