"""docs/contributing/: each path, test, make target and identifier that its pages name exists; all pages are linked.

A page is cut into list items, paragraphs and code blocks. An identifier is looked for in the files of its own item.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "contributing"
INDEX = FOLDER / "README.md"
NAMES = (
    *("adding-an-event-type", "adding-a-directory-event", "adding-a-counter-or-table", "changing-a-fold"),
    *("changing-the-schema", "adding-a-metric", "adding-a-dashboard-figure", "adding-an-api-endpoint"),
    *("adding-an-export-format", "changing-a-price-rule", "adding-a-setting-or-command", "adding-an-intake"),
    *("running-the-tests", "upgrading-a-dependency", "releasing"),
)
PAGES = [INDEX, *(FOLDER / f"{name}.md" for name in NAMES)]
TESTS = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
ENVIRONMENT = ".venv/"
"""What `make setup` makes; a checkout need not have it."""

FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"(\w+\.)*\w+\(\)")
QUALIFIED = re.compile(r"\w+\.[A-Z]\w*")
CAPITALIZED = re.compile(r"[A-Z][A-Za-z_]\w+")
"""A class or a constant. Shorter ones are no names."""


def blocks(text: str) -> list[str]:
    """The list items and paragraphs outside code blocks."""
    return re.split(r"\n\s*\n|\n(?=\s*(?:-|\d+\.) )|\n(?=#)", FENCE.sub("\n", text))


def spans(text: str) -> list[str]:
    """What stands in backticks, with line breaks as spaces."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]


def words(text: str) -> Iterator[str]:
    """The words of all backticks and of all code blocks without their comments."""
    code = [line.partition("#")[0] for block in FENCE.findall(text) for line in block.splitlines()]
    for part in (*spans(FENCE.sub("\n", text)), *code):
        yield from (word.rpartition("=")[2] for word in part.split())


def exists(word: str) -> bool:
    """Whether a path, glob or path with <placeholders> names something; a test's name behind `::` is in its file."""
    path, _, test = word.partition("::")
    if "<" in path:
        return (ROOT / path.partition("<")[0].rpartition("/")[0]).is_dir()
    if not any(ROOT.glob(path.rstrip("/"))):
        return False
    return not test or re.search(rf"^\s*(async )?def {re.escape(test)}\(", (ROOT / path).read_text(), re.M) is not None


def identifiers(block: str) -> Iterator[str]:
    """`name()`, `module.Name`, `ClassName` and `CONSTANT`."""
    for span in spans(block):
        if CALL.fullmatch(span) or QUALIFIED.fullmatch(span) or CAPITALIZED.fullmatch(span):
            yield span.removesuffix("()")


def unknown(block: str) -> list[str]:
    """The identifiers of a block that none of the files that it names has."""
    paths = [ROOT / span for span in spans(block) if (ROOT / span).is_file()]
    texts = [(path.stem, path.read_text()) for path in paths]

    def is_in(name: str, stem: str, text: str) -> bool:
        return all(part == stem or re.search(rf"\b{part}\b", text) for part in name.split("."))

    return [name for name in identifiers(block) if not any(is_in(name, *each) for each in texts)]


def test_all_pages_are_there_and_linked() -> None:
    assert sorted(FOLDER.iterdir()) == sorted(PAGES)
    links = set(re.findall(r"\]\(([\w.-]+)\)", INDEX.read_text()))
    assert {f"{name}.md" for name in NAMES} <= links
    assert "](docs/contributing/README.md)" in (ROOT / "CONTRIBUTING.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
class TestPage:
    def test_every_path_exists(self, page: Path) -> None:
        paths = [word for word in words(page.read_text()) if "/" in word and not word.startswith(ENVIRONMENT)]
        assert [path for path in paths if not exists(path)] == []

    def test_every_test_exists(self, page: Path) -> None:
        assert set(re.findall(r"\btest_\w+\.py\b", page.read_text())) <= TESTS

    def test_every_identifier_is_in_a_file_of_its_item(self, page: Path) -> None:
        assert [name for block in blocks(page.read_text()) for name in unknown(block)] == []

    def test_every_make_target_exists(self, page: Path) -> None:
        text = page.read_text()
        code = " ; ".join((*spans(FENCE.sub("\n", text)), *FENCE.findall(text)))
        assert set(re.findall(r"\bmake ([a-z-]+)", code)) <= TARGETS

    def test_every_link_leads_somewhere(self, page: Path) -> None:
        links = [link for link in re.findall(r"\]\(([^)#]+)", page.read_text()) if "://" not in link]
        assert [link for link in links if not (FOLDER / link).exists()] == []


@pytest.mark.parametrize(
    "wrong",
    [
        "- `aggregators/activity.py`: `NoSuchFold`",
        "- `aggregators/activity.py`: `no_such_rule()`",
        "- `aggregators/activity.py`: `activity.NOTHING`",
        "- `ActivityFold` is in no file that this item names",
    ],
)
def test_an_identifier_that_is_not_there_is_noticed(wrong: str) -> None:
    assert unknown(wrong)


@pytest.mark.parametrize("wrong", ["no/such/file.py", "tests/unit/test_cli.py::test_nothing", "sinks/schema/999_*.sql"])
def test_a_path_that_is_not_there_is_noticed(wrong: str) -> None:
    assert not exists(wrong)
