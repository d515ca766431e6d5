"""Claude Code: sessions, people, accepted lines, decisions, commits and pull requests."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from msgspec import Struct

from reports.metrics.people import DEFAULT_LIMIT, leaders
from reports.metrics.query_context import QueryContext, totals
from reports.metrics.result_types import Leaders, Ratio, Totals
from reports.periods import Period

RankedBy = Literal["lines_accepted", "pull_requests", "commits", "sessions"]


class Decisions(Struct, frozen=True, kw_only=True):
    """Decisions by people on suggested edits."""

    accepted: int
    rejected: int

    @property
    def accept_rate(self) -> Ratio:
        """Accepted decisions out of all decisions."""
        return Ratio(numerator=self.accepted, denominator=self.accepted + self.rejected)


class ClaudeCode(Struct, frozen=True, kw_only=True):
    """Counts of Claude Code. `people` are distinct people active in it; `sessions` are distinct and include machines'.

    `lines_accepted` and `lines_removed` were suggested and accepted. Decisions are by tool.
    """

    people: int
    sessions: int
    lines_accepted: int
    lines_removed: int
    commits: int
    pull_requests: int
    edit: Decisions
    multi_edit: Decisions
    write: Decisions
    notebook_edit: Decisions

    @property
    def decisions(self) -> Decisions:
        """The decisions on all four tools."""
        tools = (self.edit, self.multi_edit, self.write, self.notebook_edit)
        return Decisions(accepted=sum(tool.accepted for tool in tools), rejected=sum(tool.rejected for tool in tools))


def claude_code(reading: QueryContext, window: Period) -> Totals[ClaudeCode]:
    """Return the counts for each day of the window, and in total (distinct people and sessions over the window)."""
    return totals(reading, "claude_code", window, _counts, NOTHING)


def top_people_by_claude_code(
    reading: QueryContext, window: Period, ranked_by: RankedBy = "lines_accepted", limit: int = DEFAULT_LIMIT
) -> Leaders[ClaudeCode]:
    """Return the people with the most `ranked_by`, without those who have none of it. Ties: by account id."""
    return leaders(
        reading,
        "top_people_by_claude_code",
        window,
        lambda columns: _counts(columns[1:]),
        ranked_by=ranked_by,
        limit=limit,
    )


def _counts(columns: Sequence[Any]) -> ClaudeCode:
    people, sessions, lines_accepted, lines_removed, commits, pull_requests, *decisions = columns
    edit, multi_edit, write, notebook_edit = _pairs(decisions)
    return ClaudeCode(
        people=people,
        sessions=sessions,
        lines_accepted=lines_accepted,
        lines_removed=lines_removed,
        commits=commits,
        pull_requests=pull_requests,
        edit=edit,
        multi_edit=multi_edit,
        write=write,
        notebook_edit=notebook_edit,
    )


def _pairs(decisions: Sequence[int]) -> Iterator[Decisions]:
    for accepted, rejected in zip(decisions[::2], decisions[1::2], strict=True):
        yield Decisions(accepted=accepted, rejected=rejected)


NOTHING = _counts([0] * 14)
