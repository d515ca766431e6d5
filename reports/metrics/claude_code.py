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
    """What people said to suggested edits."""

    accepted: int
    rejected: int

    @property
    def accept_rate(self) -> Ratio:
        """Accepted of all decisions."""
        return Ratio(numerator=self.accepted, denominator=self.accepted + self.rejected)


class ClaudeCode(Struct, frozen=True, kw_only=True):
    """Claude Code's counts. `people` are those active in it, `sessions` distinct, machines' included.

    `lines_accepted` were suggested and accepted; `lines_removed` likewise. Decisions are by tool.
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
        """Of all four tools."""
        tools = (self.edit, self.multi_edit, self.write, self.notebook_edit)
        return Decisions(accepted=sum(tool.accepted for tool in tools), rejected=sum(tool.rejected for tool in tools))


def claude_code(reading: QueryContext, window: Period) -> Totals[ClaudeCode]:
    """Claude Code's counts: on each day of the window, and in all (people and sessions distinct in the window)."""
    return totals(reading, "claude_code", window, _counts, NOTHING)


def top_people_by_claude_code(
    reading: QueryContext, window: Period, ranked_by: RankedBy = "lines_accepted", limit: int = DEFAULT_LIMIT
) -> Leaders[ClaudeCode]:
    """The people with the most of `ranked_by` in Claude Code; who has none of it is not ranked. Ties: by account id."""
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
