"""Conversion of a request for a report to a page of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from clickhouse_connect.driver.client import Client
from msgspec.structs import replace as msgspec_replace

from api.context import Context
from api.cursors import ReportCursor, encode_cursor
from api.errors import CursorExpired, Unavailable, invalid_parameter, one_of
from api.pagination import Secret, query_digest, read_consistently, read_cursor, require_unrevised
from api.parameters import QueryParams, a_flag, read_choice, read_choices, read_limit, single
from api.principal import Viewer
from api.schemas.usage import ReportPage
from api.usage.buckets import BUCKETS, Range, floor, pinned, read_range, read_width
from api.usage.endpoints import MINUTE_FILTERS, MINUTE_GROUPS, MOST_GROUPS, Report
from api.usage.filters import read_filters
from api.usage.redaction import blurred, require_detail, require_no_seats
from api.usage.rows import COMPONENTS, View, bucket
from queries.paging import AfterRow, Ranking, cut_page
from queries.sql_files import Row
from reports.usage.query import EVERY_ACTOR_TYPE, RANKS, WHOLE, UsageQuery
from reports.usage.rows import had_seats, read_identities, read_people, read_usage, revision_hash
from reports.usage.walks import keep_walk, read_walk
from sinks.datetimes import rfc3339

USUAL_ROWS = 20
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class ReportRequest:
    """A parsed request: the query over its whole range, its view, and where its page begins."""

    report: Report
    question: UsageQuery
    view: View
    limit: int
    query: str
    cursor: ReportCursor | None


@dataclass(frozen=True)
class Found:
    """A page's rows as the API returns them, and the cursor of the next page."""

    data: list[Any]
    next: ReportCursor | None


def answer(client: Client, context: Context, report: Report, viewer: Viewer, given: QueryParams) -> ReportPage[Any]:
    """Return one page. Positions are read before cells, so the page includes at least what they cover."""
    freshness = context.freshness(client)
    if freshness.data_refreshed_at is None:
        raise Unavailable(
            "How far the data reaches is not known yet: part of the log was never read. Try again later.", 60
        )
    secret = partial(context.secret, client)
    asked = read(report, viewer, given, context.clock(), secret)
    require_no_seats(viewer, not viewer.can_read_detail and had_seats(client, asked.question))
    if asked.question.by_minute and had_seats(client, asked.question):
        raise invalid_parameter(
            report.width, "1m", "1h or 1d on a seat-based plan: extra usage is not known by the minute"
        )
    settled = floor(freshness.data_refreshed_at, min(asked.view.range.width or HOUR, HOUR))
    found = _rows(client, asked, settled) if report.metrics else _buckets(client, asked, settled)
    return ReportPage(
        data=found.data,
        next_page=encode_cursor(found.next, secret()) if found.next else None,
        has_more=found.next is not None,
        organization_id=viewer.organization_id,
        data_refreshed_at=freshness.data_refreshed_at,
    )


def read(report: Report, viewer: Viewer, given: QueryParams, now: datetime, secret: Secret) -> ReportRequest:
    """Parse the request. Raises BadRequest."""
    query = query_digest(report.name, viewer, given)
    cursor = read_cursor(given, secret, query, ReportCursor)
    width = read_width(given, report.width, None if report.metrics else "1d")
    if cursor:
        span = pinned(cursor.begins, cursor.ends, width, now)
    else:
        span = read_range(given, width, now, by_row=bool(report.metrics))
    group_by = read_choices(given, "group_by[]", report.group_by)
    _allowed(report, given, group_by, width)
    require_detail(viewer, given, group_by)
    question = UsageQuery(
        viewer.organization_id,
        span.begins,
        span.ends,
        bucket_seconds=int(span.width.total_seconds()) if span.width else 0,
        by_minute=width == "1m",
        group_by=[*group_by, "actor"] if report.people else group_by,
        filters=read_filters(given, report.filters),
        people_only=report.people,
        exclude_deleted=_excludes_deleted(given, group_by, report),
        priced=report.priced,
        ranking=read_ranking(report, given, cursor, span),
    )
    usual, most = (USUAL_ROWS, 1000) if report.metrics else BUCKETS[width or "1d"]
    view = View(viewer.organization_id, span, group_by, is_blurred=not viewer.can_read_detail)
    return ReportRequest(report, question, view, read_limit(given, usual, most), query, cursor)


def read_ranking(report: Report, given: QueryParams, cursor: ReportCursor | None, span: Range) -> Ranking:
    """Return the order: by the report's first metric, descending, unless the request has another."""
    metric = report.metrics[0] if report.metrics else ("amount" if report.priced else "total_tokens")
    by = read_choice(given, "order_by", report.orders) or metric
    descending = read_choice(given, "order", ("asc", "desc")) != "asc"
    after = cursor.after if cursor else AfterRow()
    by_time = (by == "time" and span.width is not None) or not report.metrics
    return Ranking(metric if by == "time" else by, descending, after, WHOLE.limit, by_time)


def _allowed(report: Report, given: QueryParams, group_by: Sequence[str], width: str | None) -> None:
    """Raise BadRequest for parameters that cannot be combined."""
    apart = [name for name in group_by if name not in COMPONENTS]
    if report.newer and len(set(apart)) > MOST_GROUPS:
        raise invalid_parameter(
            "group_by[]", ", ".join(apart), f"at most {MOST_GROUPS} dimensions, not counting cost_type and token_type"
        )
    if width != "1m":
        return
    if report.priced or report.people:
        what = "what costs depend on" if report.priced else "people"
        raise invalid_parameter(report.width, width, f"1h or 1d: minutes are kept without {what}")
    for name, values, kept in (
        ("group_by[]", group_by, MINUTE_GROUPS),
        ("bucket by the minute, with", [name for name in report.filters if name in given], MINUTE_FILTERS),
    ):
        for value in values:
            if value not in kept:
                raise invalid_parameter(
                    name, value, f"{one_of(kept)} for minutes, which are kept for 7 days; the others with 1h or 1d"
                )


def _excludes_deleted(given: QueryParams, group_by: Sequence[str], report: Report) -> bool:
    text = single(given, "exclude_deleted_users")
    if text is None:
        return False
    excludes = a_flag("exclude_deleted_users", text)
    if excludes and not (report.people or "actor" in group_by):
        raise invalid_parameter("exclude_deleted_users", text, "true only with group_by[]=actor")
    return excludes


def _rows(client: Client, asked: ReportRequest, settled: datetime) -> Found:
    """Return a page of rows. The stamp of its cells is read before page 1 and after each later page, so pages agree.

    Rows past `settled` still change: if the range passes it, the rows are stored as page 1 saw them.
    """
    question, cursor = asked.question, asked.cursor
    if cursor and cursor.walk:
        return _kept(client, asked, cursor)
    limited = replace(question, ranking=question.ranking.of_page(asked.limit))
    stamp, found = read_consistently(
        lambda: read_usage(client, limited), lambda: revision_hash(client, question), cursor, _usage_of(question)
    )
    page = cut_page(found, asked.limit, RANKS)
    if page.end is None:
        return Found(_shown(client, asked, page.rows), None)
    span = question.begins, question.ends
    if cursor is None and question.ends > settled:
        found = read_usage(client, question)
        rows, walk = found[: asked.limit], keep_walk(client, found)
        return Found(
            _shown(client, asked, rows), ReportCursor(asked.query, "", (), "", *span, walk=walk, start=len(rows))
        )
    following = ReportCursor(asked.query, stamp, page.end.ranks, page.end.key, *span)
    return Found(_shown(client, asked, page.rows), following)


def _kept(client: Client, asked: ReportRequest, cursor: ReportCursor) -> Found:
    """Return a page of a stored walk."""
    found = read_walk(client, cursor.walk, cursor.start, asked.limit + 1)
    if not found:
        raise CursorExpired("page: the first page was read more than a day ago. Start again without page.")
    page = cut_page(found, asked.limit)
    following = msgspec_replace(cursor, start=cursor.start + asked.limit) if page.end else None
    return Found(_shown(client, asked, page.rows), following)


def _buckets(client: Client, asked: ReportRequest, settled: datetime) -> Found:
    """Return a page of buckets, including empty ones. The cells of all earlier pages' buckets are checked again, up to
    where they were settled then: the current bucket may grow, whatever comes after it."""
    question, width, cursor = asked.question, asked.view.range.width, asked.cursor
    assert width is not None
    first = cursor.bucket if cursor and cursor.bucket else question.begins
    ends = min(question.ends, first + asked.limit * width)
    following = None
    if ends < question.ends:
        stamped = max(question.begins, min(ends, settled))
        stamp = revision_hash(client, replace(question, ends=stamped))
        following = ReportCursor(asked.query, stamp, (), "", question.begins, question.ends, ends, stamped)
    found = read_usage(client, replace(question, begins=first, ends=ends))
    if cursor:
        earlier = replace(question, ends=cursor.stamped or first)
        require_unrevised(revision_hash(client, earlier), cursor, _usage_of(earlier))
    view = asked.view
    moments = [first + number * width for number in range((ends - first) // width)]
    results: dict[datetime, list[Any]] = {moment: [] for moment in moments}
    for row in found:
        results[datetime.fromtimestamp(row["bucket"], UTC)] += asked.report.rows(shown_to(row, view), view)
    return Found([bucket(moment, view, results[moment]) for moment in moments], following)


def _shown(client: Client, asked: ReportRequest, rows: Sequence[Row]) -> list[Any]:
    view = asked.view
    if "actor" in asked.question.group_by:
        ids = {kind: {str(row["by_actor"]) for row in rows if _kind(row) == kind} for kind in EVERY_ACTOR_TYPE}
        people = read_people(client, view.organization_id, ids["user"])
        identities = read_identities(client, view.organization_id, ids["federated"])
        view = replace(view, people=people, identities=identities)
    return [shape for row in rows for shape in asked.report.rows(shown_to(row, view), view)]


def shown_to(row: Row, view: View) -> Row:
    """Return the row as the viewer may see it."""
    return blurred(row) if view.is_blurred else row


def _kind(row: Row) -> str:
    return str(EVERY_ACTOR_TYPE[row["by_actor_type"] - 1])


def _usage_of(question: UsageQuery) -> str:
    return f"usage from {rfc3339(question.begins)} to {rfc3339(question.ends)}"
