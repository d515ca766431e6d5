"""The documents as a whole: docs/README.md leads to every page; every decision is listed and has its four sections."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MAP = DOCS / "README.md"
INDEX = DOCS / "adr" / "README.md"
PAGES = sorted(DOCS.rglob("*.md"))
DECISIONS = sorted(page for page in INDEX.parent.glob("*.md") if page != INDEX)

OPERATIONS = (DOCS / "operations.md").read_text()
ON_CALL = (DOCS / "guides" / "operate.md").read_text()

SECTIONS = ["Status", "Context", "Decision", "Consequences"]
LONGEST = 50


def linked(page: Path) -> set[Path]:
    """The pages of this repository that a page links to."""
    targets = re.findall(r"\]\(([^)#\s]+\.md)(?:#[^)]*)?\)", page.read_text())
    return {(page.parent / target).resolve() for target in targets if "://" not in target}


def reachable(start: Path) -> set[Path]:
    """The pages of docs/ to which links lead from a page, over any number of pages of docs/."""
    found: set[Path] = set()
    ahead = {start}
    while ahead:
        found |= ahead
        ahead = {page for each in ahead for page in linked(each) if page.exists() and DOCS in page.parents} - found
    return found


def test_every_page_is_reachable_from_the_map() -> None:
    assert [page for page in PAGES if page not in reachable(MAP)] == []


def test_the_readme_leads_to_the_map() -> None:
    assert MAP in linked(ROOT / "README.md")


def test_the_index_names_every_decision_by_its_title() -> None:
    titles = {page.name: page.read_text().partition("\n")[0].removeprefix("# ") for page in DECISIONS}
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", INDEX.read_text(), re.MULTILINE)
    assert sorted((name, title) for title, name in listed) == sorted(titles.items())


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [page.name[:4] for page in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]


def test_every_alert_has_an_urgency_and_its_first_five_minutes() -> None:
    table = OPERATIONS.partition("### Alerts worth having")[2].partition("\n## ")[0]
    alerts = re.findall(r"^\| ([^|]+?) +\| .*\|$", table, re.MULTILINE)[1:]
    urgencies, _, minutes = ON_CALL.partition("## What pages you")[2].partition("## The first five minutes")
    paged = re.findall(r"^\| [\w ]+ \| ([^|]+) \|", urgencies, re.MULTILINE)[1:]
    assert len(alerts) > 15
    assert sorted(re.findall(r"^### (.+)$", minutes, re.MULTILINE)) == sorted(alerts)
    assert sorted(alert for row in paged for alert in row.split(", ")) == sorted(alerts)


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
class TestDecision:
    def test_it_has_the_four_sections_and_is_short(self, page: Path) -> None:
        text = page.read_text()
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
        assert all(section.strip() for section in re.split(r"^## .+$", text, flags=re.MULTILINE))
        assert len(text.splitlines()) <= LONGEST

    def test_its_title_has_its_number(self, page: Path) -> None:
        assert page.read_text().startswith(f"# {int(page.name[:4])}. ")

    def test_its_status_is_one_that_there_is(self, page: Path) -> None:
        status = page.read_text().partition("## Status\n\n")[2].partition("\n")[0]
        assert re.match(r"(Accepted|Superseded by \[ADR \d+\]\(.+\))\.", status)

    def test_every_file_that_it_names_is_there(self, page: Path) -> None:
        named = re.findall(r"`([a-z_]+/[\w./-]*)`", page.read_text())
        assert named
        assert [path for path in named if not (ROOT / path).exists()] == []
