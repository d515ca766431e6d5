"""The lists: people, projects, connectors, skills, plugins and artifacts, one page at a time.

Every row has `key` and `rank` (where the next page begins) and `counts` (metric name to number; 0 is left out).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client

from aggregators.activity import connector_key
from reports.connector_names import connector_names
from reports.engagement.asking import Place, Question, Ranking, remembered, rows
from reports.queries import Row

NOTHING = "0" * 20
"""The rank of who has nothing of the metric: ranks are numbers as text of fixed width."""

MOST_PEOPLE = 2**32 - 1

Lister = Callable[[Client, Question], Sequence[Row]]


@remembered
def read_users(client: Client, question: Question) -> Sequence[Row]:
    """A row a person with any activity, or a group: `key` is the id; sorted by e-mail (people without one first)."""
    if question.by_group:
        return rows(client, "users", question.parameters())
    page = _page_of_users(client, question)
    if not page:
        return []
    chosen = replace(question, users=[row["key"] for row in page], ranking=Ranking(limit=len(page)))
    found = {row["key"]: row for row in rows(client, "users", chosen.parameters())}
    return [found[row["key"]] | {"rank": row["rank"]} for row in page]


def _page_of_users(client: Client, question: Question) -> list[Row]:
    """Who is on the page, as key and rank alone: what else they did is counted for them alone."""
    ranking = question.ranking
    if not ranking.by:
        return rows(client, "users_page", question.parameters())
    found = rows(client, "users_ranks", question.parameters())
    if ranking.descending and len(found) == ranking.limit:
        return found
    return _ranked(client, question)


def _ranked(client: Client, question: Question) -> list[Row]:
    """The page of a walk that meets people who have nothing of the metric."""
    ranking = question.ranking
    everybody = replace(question, ranking=Ranking(by=ranking.by, limit=MOST_PEOPLE)).parameters()
    ranks = {row["key"]: NOTHING for row in rows(client, "users_page", everybody)}
    ranks |= {row["key"]: row["rank"] for row in rows(client, "users_ranks", everybody)}
    people = sorted(sorted(ranks), key=lambda key: ranks[key], reverse=ranking.descending)
    after = ranking.after
    if after.key:
        people = [key for key in people if _is_after(Place(ranks[key], key), after, ranking.descending)]
    return [{"key": key, "rank": ranks[key]} for key in people[: ranking.limit]]


def _is_after(place: Place, after: Place, descending: bool) -> bool:
    if place.rank == after.rank:
        return place.key > after.key
    return (place.rank < after.rank) == descending


@remembered
def read_projects(client: Client, question: Question) -> Sequence[Row]:
    """A row a project that was worked in, sorted by id; `name` is "" for one that the directory does not know."""
    return rows(client, "projects", question.parameters())


@remembered
def read_artifacts(client: Client, question: Question) -> Sequence[Row]:
    """A row a bucket of type and whether ever shared."""
    more = {"types": list(question.types), "shared": list(question.shared)}
    return rows(client, "artifacts", question.parameters() | more)


@remembered
def read_connectors(client: Client, question: Question) -> Sequence[Row]:
    """A row a connector, sorted by its key. A name of the filter may be a spelling of it or its display name."""
    displayed = connector_names(client, question.organization_id)
    wanted = {name.casefold() for name in question.names}
    names = {connector_key(name) for name in question.names}
    names |= {key for key, display in displayed.items() if display.casefold() in wanted}
    found = _extensions(client, question, "connector", sorted(names), any_name=not question.names)
    return [row | {"display_name": displayed.get(row["name"])} for row in found]


@remembered
def read_skills(client: Client, question: Question) -> Sequence[Row]:
    """A row a skill, sorted by name, with its display name and with whom it is shared at present. `list_price` and
    `overage` are whole numbers of 10^-24 USD as texts, "" where a price is unknown."""
    saved = _saved(client, question, "skill.saved")
    folded = {name.lower() for name in question.names}
    shared = [
        name
        for name, detail in saved.items()
        if detail["share_status"] in question.share_statuses and (not folded or name.lower() in folded)
    ]
    by_status = bool(question.share_statuses)
    more = {
        "names": sorted(shared if by_status else folded),
        "any_name": not (by_status or folded),
        "fold_case": not by_status,
    }
    found = rows(client, "skills", question.parameters() | more)
    return [row | saved.get(row["name"], {}) | {"name": row["name"]} for row in found]


@remembered
def read_plugins(client: Client, question: Question) -> Sequence[Row]:
    """A row a plugin, sorted by name, with its id where the directory knows it."""
    saved = _saved(client, question, "plugin.saved")
    names = sorted({name.lower() for name in question.names})
    found = _extensions(client, question, "plugin", names, any_name=not names, fold_case=True)
    return [row | {"plugin_id": saved.get(row["name"], {}).get("plugin_id")} for row in found]


def _saved(client: Client, question: Question, kind: str) -> dict[str, dict[str, Any]]:
    """What the directory last said of each thing of a kind, by name."""
    found = rows(client, "saved", {"organization_id": question.organization_id, "type": kind})
    return {name: orjson.loads(detail) for name, detail in (row.values() for row in found)}


def _extensions(
    client: Client, question: Question, kind: str, names: list[str], any_name: bool = False, fold_case: bool = False
) -> list[Row]:
    more = {"kind": kind, "names": names, "any_name": any_name, "fold_case": fold_case}
    return rows(client, "extensions", question.parameters() | more)
