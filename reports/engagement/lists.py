"""The lists of people, projects, connectors, skills, plugins and artifacts, one page at a time.

Every row has `key` and `rank` (where the next page begins) and `counts` (metric name to number; zeros are omitted).
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client

from aggregators.connectors import connector_key, name_key
from queries.data_version import DataVersion, data_version
from queries.paging import AfterRow, Ranking
from queries.sql_files import Row
from reports.connector_names import connector_names
from reports.engagement.query import EngagementQuery, cached_rows, revision_hash, rows
from reports.presence.activity_kinds import LISTED
from reports.presence.bitsets import Bits, union
from reports.presence.presence import PresenceRange, read_group_days, read_present

NOTHING = "0" * 20
"""The rank of people who have none of the metric. A rank is a number as text of fixed width."""

MOST_PEOPLE = 2**32 - 1
"""The limit of a query over everyone."""

Lister = Callable[[Client, EngagementQuery], Sequence[Row]]


@cached_rows
def read_users(client: Client, question: EngagementQuery) -> Sequence[Row]:
    """Return a row per person with any activity, or per group; `key` is the id. By e-mail, people without one first."""
    if question.by_group or question.users or question.projects:
        return rows(client, "users", question.parameters())
    page = _page_of_users(client, question)
    if not page:
        return []
    chosen = replace(question, users=[account for account, _ in page], ranking=Ranking(limit=len(page)))
    found = {row["key"]: row for row in rows(client, "users", chosen.parameters())}
    return [found[account] | {"rank": rank} for account, rank in page if account in found]


def stamp_of_users(client: Client, question: EngagementQuery) -> str:
    """Return the query's stamp. In the order of e-mails it includes the addresses of everyone who has a row."""
    cells = revision_hash(client, question)
    if question.by_group or question.ranking.by:
        return cells
    organization_id = question.organization_id
    state = data_version(client, organization_id)
    present, listed = _listed(client, replace(question, groups=()), state)
    order = present.known.order(client, organization_id, state, present, descending=False)
    return f"{cells} {order.digest(listed)}"


def _page_of_users(client: Client, question: EngagementQuery) -> list[tuple[str, str]]:
    """Return (account id, rank) of the people on the page; the rest of their activity is counted only for them."""
    return _page_by_metric(client, question) if question.ranking.by else _page_by_email(client, question)


def _page_by_email(client: Client, question: EngagementQuery) -> list[tuple[str, str]]:
    organization_id, ranking = question.organization_id, question.ranking
    state = data_version(client, organization_id)
    present, listed = _listed(client, question, state)
    order = present.known.order(client, organization_id, state, present, ranking.descending)
    return order.page(listed, ranking)


def _page_by_metric(client: Client, question: EngagementQuery) -> list[tuple[str, str]]:
    """Return the page by a metric. ClickHouse ranks the people who have any of it; if the page reaches the people who
    have none, they are merged in."""
    ranking = question.ranking
    if ranking.descending:
        found = _ranks(client, question)
        if len(found) == ranking.limit:
            return found
    present, listed = _listed(client, question, data_version(client, question.organization_id))
    ranks = dict.fromkeys(present.accounts(listed), NOTHING)
    ranks |= _ranks(client, replace(question, ranking=Ranking(ranking.by, limit=MOST_PEOPLE)))
    people = sorted(sorted(ranks), key=ranks.__getitem__, reverse=ranking.descending)
    places = [(key, ranks[key]) for key in people if ranking.is_beyond(AfterRow((ranks[key],), key))]
    return places[: ranking.limit]


def _ranks(client: Client, question: EngagementQuery) -> list[tuple[str, str]]:
    return [(row["key"], row["rank"]) for row in rows(client, "users_ranks", question.parameters())]


def _listed(client: Client, question: EngagementQuery, state: DataVersion) -> tuple[PresenceRange, Bits]:
    """Return everyone with any activity on the days, in the requested groups."""
    present = read_present(client, question.organization_id, state, question.first, question.last)
    listed = present.rows((LISTED,))
    if question.groups:
        listed = listed & read_group_days(client, question.organization_id, state, question.groups, present)
    return present, union(listed)


@cached_rows
def read_projects(client: Client, question: EngagementQuery) -> Sequence[Row]:
    """Return a row per project that was worked in, by id; `name` is "" if the directory does not know the project."""
    return rows(client, "projects", question.parameters())


@cached_rows
def read_artifacts(client: Client, question: EngagementQuery) -> Sequence[Row]:
    """Return a row per bucket of artifact type and whether they were ever shared."""
    more = {"types": list(question.types), "shared": list(question.shared)}
    return rows(client, "artifacts", question.parameters() | more)


@cached_rows
def read_connectors(client: Client, question: EngagementQuery) -> Sequence[Row]:
    """Return a row per connector, by its key."""
    displayed = connector_names(client, question.organization_id)
    keys = _keys(question.names, connector_key, displayed)
    found = _extensions(client, question, "connector", keys, any_name=not question.names)
    return [row | {"display_name": displayed.get(row["name"])} for row in found]


@cached_rows
def read_skills(client: Client, question: EngagementQuery) -> Sequence[Row]:
    """Return a row per skill, by its key, with its present display name and share status. `list_price` and `overage`
    are whole numbers of 10^-24 USD as text, "" if a price is unknown."""
    saved = _saved(client, question, "skill.saved")
    keys = _keys(question.names, name_key, {key: detail["display_name"] for key, detail in saved.items()})
    by_status = bool(question.share_statuses)
    if by_status:
        shared = {key for key, detail in saved.items() if detail["share_status"] in question.share_statuses}
        keys = shared & keys if question.names else shared
    more = {"names": sorted(keys), "any_name": not (by_status or question.names)}
    found = rows(client, "skills", question.parameters() | more)
    return [row | saved.get(row["name"], {}) for row in found]


@cached_rows
def read_plugins(client: Client, question: EngagementQuery) -> Sequence[Row]:
    """Return a row per plugin, by its key, with its id if the directory knows it."""
    saved = _saved(client, question, "plugin.saved")
    keys = _keys(question.names, name_key, {})
    found = _extensions(client, question, "plugin", keys, any_name=not question.names)
    return [row | {"plugin_id": None} | saved.get(row["name"], {}) for row in found]


def _saved(client: Client, question: EngagementQuery, kind: str) -> dict[str, dict[str, Any]]:
    """Return the last state of each object of a kind in the directory, by key; `name` is its spelling at that time."""
    found = rows(client, "saved_objects", {"organization_id": question.organization_id, "type": kind})
    details = {key: orjson.loads(detail) for key, detail in (row.values() for row in found)}
    return {key: detail | {"name": detail["name"].strip() or key} for key, detail in details.items()}


def _keys(names: Sequence[str], key_of: Callable[[str], str], displayed: Mapping[str, str]) -> set[str]:
    """Return the keys of the filter's names, each in any spelling, or a display name in any case."""
    wanted = {name_key(name) for name in names}
    return {key_of(name) for name in names} | {key for key, name in displayed.items() if name_key(name) in wanted}


def _extensions(client: Client, question: EngagementQuery, kind: str, keys: Set[str], any_name: bool) -> list[Row]:
    more = {"kind": kind, "names": sorted(keys), "any_name": any_name}
    return rows(client, "extensions", question.parameters() | more)
