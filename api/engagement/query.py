"""Conversion of request parameters to an engagement query, and of its result to a page."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial

from clickhouse_connect.driver.client import Client
from msgspec import Struct

from api.context import Context
from api.cursors import DaysCursor, encode_cursor
from api.engagement.endpoints import SUMMARY_FILTERS, Endpoint
from api.errors import BadRequest, invalid_parameter, one_of
from api.pagination import newest_day, query_digest, read_consistently, read_cursor
from api.parameters import (
    QueryParams,
    read_choice,
    read_choices,
    read_days,
    read_filters,
    read_limit,
    single,
)
from api.principal import Viewer
from api.schemas.common import SEARCHES, SPEND_FIELDS, ResponsePage, without_searches, without_spend
from api.schemas.summaries import SummaryPage, day_summary
from queries.paging import AfterRow, Ranking, cut_page
from queries.sql_files import Row
from reports.engagement.query import RANKS, EngagementQuery
from reports.engagement.summaries import read_summaries

WHOLE = 100_000
"""A row limit for lists that are never paged, since they have few kinds of rows."""


def answer_summaries(client: Client, context: Context, viewer: Viewer, given: QueryParams) -> SummaryPage:
    """Return the page with all requested days."""
    freshness = context.freshness(client)
    first, last = read_days(given, newest_day(context, freshness), ranged=False)
    read_limit(given)
    if "page" in given:
        raise invalid_parameter(
            "page", single(given, "page"), "nothing: summaries have one page, whose next_page is null"
        )
    groups = read_filters(given, SUMMARY_FILTERS)["rbac_group_id"]
    question = EngagementQuery(viewer.organization_id, first, last, groups=groups)
    days = [day_summary(summary) for summary in read_summaries(client, question)]
    return SummaryPage(
        data=days,
        summaries=days,
        organization_id=viewer.organization_id,
        data_refreshed_at=freshness.data_refreshed_at,
    )


def answer(
    client: Client, context: Context, endpoint: Endpoint, viewer: Viewer, given: QueryParams
) -> ResponsePage[Struct]:
    """Return one page of a list. Positions are read before cells, so the page includes at least what they cover."""
    freshness = context.freshness(client)
    newest = newest_day(context, freshness)
    query = query_digest(endpoint.name, viewer, given)
    secret = partial(context.secret, client)
    cursor = read_cursor(given, secret, query, DaysCursor)
    question = read_question(endpoint, viewer, given, newest, cursor)
    asked = read_limit(given)
    limit = asked if endpoint.paged(question) else WHOLE
    if cursor is not None and not endpoint.paged(question):
        raise BadRequest("page: this list is paged only when grouped with group_by[]. Allowed: no page.")
    stamp, found = _read(client, endpoint, replace(question, ranking=question.ranking.of_page(limit)), cursor)
    page, following = cut_page(found, limit, RANKS), None
    if page.end:
        following = DaysCursor(query, stamp, page.end.ranks, page.end.key, question.first, question.last)
    shaped = [endpoint.row(row, question) for row in page.rows]
    return ResponsePage(
        data=[seen_by(viewer, row) for row in shaped],
        next_page=encode_cursor(following, secret()) if following else None,
        organization_id=viewer.organization_id,
        data_refreshed_at=freshness.data_refreshed_at,
    )


def seen_by(viewer: Viewer, row: Struct) -> Struct:
    """Return the row without the fields that the viewer may not see."""
    row = row if viewer.can_read_spend else without_spend(row)
    return row if viewer.can_read_detail else without_searches(row)


def read_question(
    endpoint: Endpoint, viewer: Viewer, given: QueryParams, newest: date, cursor: DaysCursor | None
) -> EngagementQuery:
    """Return the query; after page 1, its days and position are the cursor's. Raises BadRequest."""
    ranged = "starting_date" in endpoint.parameters
    days = (cursor.first, cursor.last) if cursor else read_days(given, newest, ranged)
    filters = read_filters(given, endpoint.filters)
    groupings = read_choices(given, "group_by[]", endpoint.group_by)
    if endpoint.name == "users" and filters["project_id"] and (groupings or filters["rbac_group_id"]):
        raise BadRequest("filter[]: project_id excludes group_by[] and rbac_group_id. Allowed: one of them.")
    names = next((values for dimension, values in filters.items() if dimension.endswith("_name")), [])
    return EngagementQuery(
        viewer.organization_id,
        *days,
        users=filters["user_id"],
        groups=filters["rbac_group_id"],
        projects=filters.get("project_id", ()),
        products=filters.get("product", ()),
        names=names,
        share_statuses=filters.get("share_status", ()),
        types=filters.get("artifact_type", ()),
        shared=filters.get("is_shared", ()),
        by_user="user_id" in groupings,
        by_group="rbac_group_id" in groupings,
        by_product="product" in groupings,
        priced=endpoint.priced,
        ranking=read_ranking(endpoint, viewer, given, cursor),
    )


def read_ranking(endpoint: Endpoint, viewer: Viewer, given: QueryParams, cursor: DaysCursor | None) -> Ranking:
    """Return the order: the list's sort column ascending or a metric descending, unless `order` is given.

    A viewer without spend cannot order by spend, which would reveal who spends more. A viewer without details cannot
    order by searches.
    """
    hidden = {*(() if viewer.can_read_spend else SPEND_FIELDS), *(() if viewer.can_read_detail else (SEARCHES,))}
    metrics = [name for name in endpoint.metrics if name not in hidden]
    by = single(given, "order_by") or endpoint.sort
    if by != endpoint.sort and by not in metrics:
        raise invalid_parameter("order_by", by, one_of((endpoint.sort, *metrics)))
    metric = "" if by == endpoint.sort else by
    order = read_choice(given, "order", ("asc", "desc")) or ("desc" if metric else "asc")
    return Ranking(metric, order == "desc", cursor.after if cursor else AfterRow())


def _read(
    client: Client, endpoint: Endpoint, question: EngagementQuery, cursor: DaysCursor | None
) -> tuple[str, Sequence[Row]]:
    if cursor is None and not endpoint.paged(question):
        return "", endpoint.read(client, question)
    what = f"a day from {question.first} to {question.last}, or the order of its rows,"
    return read_consistently(
        lambda: endpoint.read(client, question), lambda: endpoint.stamp(client, question), cursor, what
    )
