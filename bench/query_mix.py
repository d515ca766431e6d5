"""What the bench asks: every list, report, figure of the dashboard and metric, over days that move with the round.

A round's questions differ from every other round's, so the first answer to each cannot be a remembered one.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, get_args

from api.dashboard.figures import DashboardPage
from api.dashboard.page_context import DETAILS, PAGES
from api.dashboard.page_request import address
from bench.big_world import BIG, GROUP, UNTIL
from reports import metrics
from reports.metric_windows import window
from reports.metrics import QueryContext
from reports.periods import Period

GRACE = timedelta(minutes=120)
DAY = timedelta(days=1)
Asked = tuple[str, Mapping[str, Any]]
Metric = Callable[[QueryContext], object]

LISTS = ("users", "apps/chat/projects", "connectors", "skills", "plugins")
CONNECTOR = "connector-1"
"""The most used one of big_world.sql."""

WIDTHS = {"a day": 1, "a month": 30, "a quarter": 90}


def lists(shift: int) -> Iterator[tuple[str, Asked]]:
    """(name, (path, parameters)) of every question to the API that ends `shift` days before the newest day."""
    end = UNTIL - shift * DAY
    for name, width in WIDTHS.items():
        days = {"starting_date": str(end - width * DAY), "ending_date": str(end)}
        yield f"summaries, {name}", ("summaries", days)
        for path in LISTS:
            yield f"{path}, {name}", (path, days)
    month = {"starting_date": str(end - 30 * DAY), "ending_date": str(end)}
    yield "summaries of a group, a month", ("summaries", {**month, "filter[]": f"rbac_group_id:{GROUP}"})
    yield "users by messages, a month", ("users", {**month, "order_by": "chat_metrics.message_count"})
    yield "users by group, a month", ("users", {**month, "group_by[]": "rbac_group_id"})
    yield "connectors by group, a month", ("connectors", {**month, "group_by[]": "rbac_group_id"})
    yield "artifacts, a day", ("artifacts", {"date": str(end - DAY)})


def reports_of_usage(shift: int) -> Iterator[tuple[str, Asked]]:
    """(name, (path, parameters)) of first pages of the usage and cost reports, and of Claude Code's."""
    end = UNTIL - shift * DAY
    month = {"starting_at": f"{end - 31 * DAY}T00:00:00Z", "ending_at": f"{end}T00:00:00Z"}
    by_day = {**month, "bucket_width": "1d", "limit": "31"}
    hours = {"starting_at": f"{end - DAY}T00:00:00Z", "ending_at": f"{end}T00:00:00Z", "bucket_width": "1h"}
    for name in ("usage_report", "cost_report"):
        yield f"{name}, a month", (f"analytics/{name}", by_day)
        by_product = {**by_day, "group_by[]": "product"}
        yield f"{name} by product, a month", (f"analytics/{name}", by_product)
        yield f"{name}, 24 hours", (f"analytics/{name}", hours)
        yield f"user_{name}, a month", (f"analytics/user_{name}", month)
    for name in ("usage", "cost"):
        for group_by in ("model", "actor", "rbac_group_id", "workspace_id"):
            yield f"{name} by {group_by}, a month", (f"analytics/{name}", {**month, "group_by[]": group_by})
    yield "claude_code, a day", ("usage_report/claude_code", {"starting_at": str(end - DAY)})


def figures(shift: int, account: str) -> Iterator[tuple[str, Asked]]:
    """(name, (path, parameters)) of every figure of every page, as its CSV: with the usual choices, and of 3 months."""
    until, of_one = {"until": str(UNTIL - DAY - shift * DAY)}, {"account": account, "connector": CONNECTOR}
    for page in (*PAGES, *DETAILS):
        given = until | {name: value for name, value in of_one.items() if name == page.parameter}
        for maker in page.makers:
            path = address(BIG, f"{page.name}/{maker.name}.csv", {})
            yield f"page {page.name}, {maker.name}, as usual", (path, given)
            yield f"page {page.name}, {maker.name}, 3 months", (path, given | _quarter(page))


def _quarter(page: DashboardPage) -> dict[str, str]:
    return {name: "3-months" for name, choices in page.periods.items() if "3-months" in choices}


def measures(shift: int) -> Iterator[tuple[str, Metric]]:
    """(name, what asks it) of every metric, in windows that end `shift` days before the newest day."""
    last = UNTIL - DAY - shift * DAY
    for name, kind in {"a month": "1-month", "a quarter": "3-months"}.items():
        for metric, ask in _of_window(window(kind, last)):
            yield f"{metric}, {name}", ask
    yield "retention, 12 weeks", lambda reading: metrics.retention(reading, last)


def _of_window(days: Period) -> Iterator[tuple[str, Metric]]:
    plain: tuple[Callable[[QueryContext, Period], object], ...] = (
        metrics.active_users,
        metrics.active_people,
        metrics.token_users,
        metrics.active_days,
        metrics.lifecycle,
        metrics.seats,
        metrics.pending_invites,
        metrics.utilization,
        metrics.top_connectors,
        metrics.spend,
        metrics.spend_by_model,
        metrics.top_people_by_spend,
        metrics.chats_started,
        metrics.projects_created,
        metrics.artifacts_created,
        metrics.top_people_by_projects_used,
        metrics.top_people_by_artifacts_made,
        metrics.claude_code,
        metrics.top_people_by_claude_code,
    )
    for ask in plain:
        yield ask.__name__, partial(_ask, ask, days)
    for of_person in (metrics.person_activity, metrics.person_usage, metrics.person_spend):
        yield of_person.__name__, partial(_ask, partial(_of_somebody, of_person), days)
    yield "connector_use", lambda reading: metrics.connector_use(reading, days, CONNECTOR)
    for thing in get_args(metrics.Thing):
        yield f"people_with {thing}", partial(_ask, partial(_people_with, thing), days)


def _ask(metric: Callable[[QueryContext, Period], object], days: Period, reading: QueryContext) -> object:
    return metric(reading, days)


def _of_somebody(metric: Callable[[QueryContext, Period, str], object], reading: QueryContext, days: Period) -> object:
    """Of the first of who was active on the last day, which takes next to nothing to find."""
    last = window("1-day", days.last)
    accounts = metrics.active_people(reading, last, listed=True).account_ids or ()
    return metric(reading, days, accounts[0])


def _people_with(thing: metrics.Thing, reading: QueryContext, days: Period) -> object:
    return metrics.people_with(reading, thing, days)
