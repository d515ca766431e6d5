"""Chats, projects and artifacts in Claude.ai: their numbers, the people with any, and the people with most."""

from collections.abc import Sequence
from typing import Any, Literal

from reports.metrics.active_users import active_people, count_people
from reports.metrics.people import DEFAULT_LIMIT, leaders
from reports.metrics.query_context import QueryContext, totals
from reports.metrics.result_types import Leaders, Ratio, Share, Totals
from reports.metrics.seats import seats
from reports.periods import Period, one_day
from reports.presence.activity_kinds import WITH_ARTIFACT, WITH_CHAT, WITH_PROJECT

Thing = Literal["chat", "project", "artifact"]

PEOPLE_WITH: dict[Thing, tuple[str, ...]] = {
    "chat": (WITH_CHAT,),
    "project": (WITH_PROJECT,),
    "artifact": (WITH_ARTIFACT,),
}


def chats_started(reading: QueryContext, window: Period) -> Totals[int]:
    """Return the number of conversations started on each day of the window, and in total."""
    return totals(reading, "chats_started", window, _only, 0)


def projects_created(reading: QueryContext, window: Period) -> Totals[int]:
    """Return the number of projects created on each day of the window, and in total."""
    return totals(reading, "projects_created", window, _only, 0)


def artifacts_created(reading: QueryContext, window: Period) -> Totals[int]:
    """Return the number of artifacts made, by day of their creation, on each day of the window and in total."""
    return totals(reading, "artifacts_created", window, _only, 0)


def people_with(reading: QueryContext, thing: Thing, window: Period, listed: bool = False) -> Share:
    """Return the share of people who had at least one chat, project or artifact in the window.

    A chat was started or written in, a project created or worked in, an artifact made. `listed`: with account ids.
    """
    having = count_people(reading, PEOPLE_WITH[thing], window, listed)
    at_end = seats(reading, one_day(window.last)).days[0].value
    return Share(
        about=having.about,
        of_seats=Ratio(numerator=having.people, denominator=at_end.assigned if at_end else None),
        of_active=Ratio(numerator=having.people, denominator=active_people(reading, window).people),
        account_ids=having.account_ids,
    )


def top_people_by_projects_used(reading: QueryContext, window: Period, limit: int = DEFAULT_LIMIT) -> Leaders[int]:
    """Return the people who worked in the most distinct projects. Ties: by account id."""
    return leaders(reading, "top_people_by_projects_used", window, _only, limit=limit)


def top_people_by_artifacts_made(reading: QueryContext, window: Period, limit: int = DEFAULT_LIMIT) -> Leaders[int]:
    """Return the people who made the most distinct artifacts. Ties: by account id."""
    return leaders(reading, "top_people_by_artifacts_made", window, _only, limit=limit)


def _only(columns: Sequence[Any]) -> int:
    return int(columns[0])
