"""What the pages Claude.ai and Claude Code must show: recounted from the events, by figure."""

from datetime import date
from typing import Any

from tests.reference.dashboard_figures import Rows, days_of, money, who
from tests.reference.metric_rules import first_day
from tests.reference.metrics import Recount

MADE = {
    "chats": ("chat.started", "conversation_id"),
    "projects": ("project.created", "project_id"),
    "artifacts": ("artifact.created", "artifact_id"),
}
TOP = {"top-projects": ("project.used", "project_id"), "top-artifacts": ("artifact.created", "artifact_id")}
PICKED = {"1 week": "1-week", "1 month": "1-month", "3 months": "3-months", "1 year": "1-year"}


def claude_ai(recount: Recount, last: date, days: str, top: str) -> dict[str, Rows]:
    """Every figure of the page but the totals."""
    found: dict[str, Rows] = {
        name: [(day, recount.made(day, day, *made)) for day in days_of(days, last)] for name, made in MADE.items()
    }
    for name, used in TOP.items():
        ranked = recount.top(first_day(top, last), last, *used)
        found[name] = [(rank, who(recount, person), count) for rank, (person, count) in enumerate(ranked, start=1)]
    return found


def totals(recount: Recount, last: date) -> Rows:
    """(period, chats, projects, artifacts)."""
    return [
        (label, *(recount.made(first_day(kind, last), last, *made) for made in MADE.values()))
        for label, kind in PICKED.items()
    ]


def claude_ai_tiles(recount: Recount, last: date, days: str) -> dict[str, Any]:
    """Every tile of the page."""
    first = first_day(days, last)
    tiles: dict[str, Any] = {f"Chats, {row[0]}": row[1] for row in totals(recount, last)}
    having = {"a chat": recount.with_chat, "a project": recount.with_project, "an artifact": recount.with_artifact}
    for (name, made), (thing, people) in zip(MADE.items(), having.items(), strict=True):
        tiles[f"{name.title()} in this period"] = recount.made(first, last, *made)
        tiles[f"People with {thing}"] = percent(len(people(first, last)), recount.seats(last)[0])
        tiles[f"People with {thing}, of those active"] = percent(
            len(people(first, last)), recount.count_active(first, last)
        )
    return tiles


def percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def claude_code(recount: Recount, last: date, days: str, top: str) -> dict[str, Rows]:
    """Every figure of the page but spend."""
    every = [(day, recount.code(day, day)) for day in days_of(days, last)]
    return {
        "sessions": [(day, code[1], code[0]) for day, code in every],
        "lines": [(day, code[2], code[3]) for day, code in every],
        "accept-rate": [(day, accept_rate(code), *code[6:]) for day, code in every],
        "shipped": [(day, code[4], code[5]) for day, code in every],
        "people": top_coders(recount, last, top, 2),
    }


def accept_rate(code: tuple[int, ...]) -> float | None:
    return percent(sum(code[6::2]), sum(code[6:]))


def top_coders(recount: Recount, last: date, kind: str, place: int) -> Rows:
    """(rank, who, lines accepted, pull requests, commits, sessions), by one place of the recount's counts."""
    first = first_day(kind, last)
    coders = recount.coders(first, last)
    return [
        (rank, who(recount, person), *(coders[person][column - 1] for column in (2, 5, 4, 1)))
        for rank, (person, _) in enumerate(recount.top_coders(first, last, place), start=1)
    ]


def claude_code_tiles(recount: Recount, last: date, days: str) -> dict[str, Any]:
    """Every tile of the page."""
    first = first_day(days, last)
    code = recount.code(first, last)
    return {
        "People": code[0],
        "Sessions": code[1],
        "Lines accepted": code[2],
        "Accept rate": accept_rate(code),
        "Commits": code[4],
        "Pull requests": code[5],
        "Net spend": claude_code_spend(recount, last, days)[0],
    }


def claude_code_spend(recount: Recount, last: date, days: str) -> tuple[Any, ...]:
    """(net, gross, requests, prompt and completion tokens)."""
    found = recount.spend(first_day(days, last), last, lambda used: used.product)
    return money(found.get("claude_code", (0, 0, 0, 0, 0, ())))
