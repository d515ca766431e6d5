"""The engagement lists, declared once: their parameters, sort columns and rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from clickhouse_connect.driver.client import Client
from msgspec import Struct

from api.parameters import Reader, a_flag, a_name, an_id, choice
from api.schemas.common import SPEND_FIELDS, Metrics, cents, filled, metric_names, user_of
from api.schemas.lists import ArtifactActivity, ConnectorActivity, PluginActivity, ProjectActivity, SkillActivity
from api.schemas.users import UserActivity
from api.tagged_ids import GROUP, PROJECT, USER, tagged
from queries.sql_files import Row
from reports.engagement.lists import (
    Lister,
    read_artifacts,
    read_connectors,
    read_plugins,
    read_projects,
    read_skills,
    read_users,
    stamp_of_users,
)
from reports.engagement.query import EngagementQuery, revision_hash
from tally_client.events.activity import ArtifactType
from tally_client.events.directory import ShareStatus

PEOPLE: dict[str, Reader] = {"user_id": an_id(USER), "rbac_group_id": an_id(GROUP)}
EXTENDED = ("chat", "claude_code", "cowork", "office_agent")
RANGE = ("date", "starting_date", "ending_date", "filter[]", "group_by[]", "order_by", "order", "limit", "page")


@dataclass(frozen=True)
class Endpoint:
    """One list. `filters`: readers of each dimension's values. `sort`: its own sort column. `metrics`: other columns
    to order by. `row` builds a row of the response. `paged` returns whether the response is paged, `stamp` a hash of
    everything that its rows and their order depend on."""

    name: str
    read: Lister
    row: Callable[[Row, EngagementQuery], Struct]
    filters: Mapping[str, Reader]
    group_by: tuple[str, ...]
    sort: str
    metrics: tuple[str, ...] = ()
    parameters: tuple[str, ...] = RANGE
    paged: Callable[[EngagementQuery], bool] = field(default=lambda _: True)
    stamp: Callable[[Client, EngagementQuery], str] = revision_hash

    @property
    def priced(self) -> bool:
        """True if the list's rows contain spend."""
        return not SPEND_FIELDS.isdisjoint(self.metrics)


def user_row(row: Row, question: EngagementQuery) -> UserActivity:
    """Return the row of a person, or of a group whose key is the row's."""
    others: dict[str, Any] = {"user": None, "last_activity_date": row["last_day"]}
    if question.by_group:
        others |= _group(row["key"], row["group_name"]) | {"distinct_user_count": row["distinct_users"]}
    else:
        others["user"] = user_of(row["key"], row["email"])
    return filled(UserActivity, row["counts"], **others)


def project_row(row: Row, question: EngagementQuery) -> ProjectActivity:
    """Return the row of a project; its creator is null if the directory does not know it."""
    known = bool(row["created_at"])
    return filled(
        ProjectActivity,
        row["counts"],
        project_id=tagged(PROJECT, row["project_id"]),
        project_name=row["name"],
        created_at=row["created_at"] if known else None,
        created_by=user_of(row["created_by"], row["email"]) if known else None,
        **_cut(row, question),
    )


def connector_row(row: Row, question: EngagementQuery) -> ConnectorActivity:
    """Return the row of a connector under its stable key."""
    others = {"connector_name": row["name"], "connector_display_name": row["display_name"]}
    return filled(ConnectorActivity, row["counts"], **others, **_cut(row, question))


def skill_row(row: Row, question: EngagementQuery) -> SkillActivity:
    """Return the row of a skill. An amount is null if a part of it has no price."""
    others = {"skill_name": row["name"], "skill_display_name": row.get("display_name")}
    others |= {"attributed_list_price": cents(row["list_price"]), "estimated_overage_spend": cents(row["overage"])}
    others["currency"] = "USD" if row["list_price"] else None
    return filled(SkillActivity, row["counts"], share_status=row.get("share_status"), **others, **_cut(row, question))


def plugin_row(row: Row, question: EngagementQuery) -> PluginActivity:
    """Return the row of a plugin."""
    others = {"plugin_name": row["name"], "plugin_id": row["plugin_id"]}
    return filled(PluginActivity, row["counts"], **others, **_cut(row, question))


def artifact_row(row: Row, question: EngagementQuery) -> ArtifactActivity:
    """Return the row of a bucket of artifacts."""
    others = {"artifact_type": row["artifact_type"], "is_shared": bool(row["is_shared"])}
    return filled(ArtifactActivity, row["counts"], **others, **_cut(row, question))


def _cut(row: Row, question: EngagementQuery) -> dict[str, Any]:
    cut: dict[str, Any] = _group(row["group_id"], row["group_name"]) if question.by_group else {}
    if question.by_user:
        cut["user_id"] = tagged(USER, row["user_id"])
    if question.by_product:
        cut["product"] = row["product_key"]
    return cut


def _group(group_id: str, name: str) -> dict[str, Any]:
    return {"rbac_group_id": tagged(GROUP, group_id), "rbac_group_name": name or None}


def _metrics(kind: type[Metrics]) -> tuple[str, ...]:
    return tuple(metric_names(kind))


USERS = Endpoint(
    "users",
    read_users,
    user_row,
    filters={**PEOPLE, "project_id": an_id(PROJECT)},
    group_by=("rbac_group_id",),
    sort="email_address",
    metrics=_metrics(UserActivity),
    stamp=stamp_of_users,
)
PROJECTS = Endpoint(
    "apps/chat/projects",
    read_projects,
    project_row,
    filters={**PEOPLE, "project_id": an_id(PROJECT)},
    group_by=("rbac_group_id", "user_id"),
    sort="project_id",
    metrics=_metrics(ProjectActivity),
)
CONNECTORS = Endpoint(
    "connectors",
    read_connectors,
    connector_row,
    filters={**PEOPLE, "product": choice(*EXTENDED), "connector_name": a_name},
    group_by=("product", "rbac_group_id", "user_id"),
    sort="connector_name",
    metrics=_metrics(ConnectorActivity),
)
SKILLS = Endpoint(
    "skills",
    read_skills,
    skill_row,
    filters={
        **PEOPLE,
        "product": choice(*EXTENDED),
        "share_status": choice(*get_args(ShareStatus)),
        "skill_name": a_name,
    },
    group_by=("product", "rbac_group_id", "user_id"),
    sort="skill_name",
    metrics=(*_metrics(SkillActivity), "estimated_overage_spend", "attributed_list_price"),
)
PLUGINS = Endpoint(
    "plugins",
    read_plugins,
    plugin_row,
    filters={**PEOPLE, "product": choice("claude_code", "cowork"), "plugin_name": a_name},
    group_by=("product", "rbac_group_id", "user_id"),
    sort="plugin_name",
    metrics=_metrics(PluginActivity),
)
ARTIFACTS = Endpoint(
    "artifacts",
    read_artifacts,
    artifact_row,
    filters={
        **PEOPLE,
        "product": choice("chat", "claude_code", "cowork"),
        "artifact_type": choice(*get_args(ArtifactType)),
        "is_shared": a_flag,
    },
    group_by=("product", "rbac_group_id", "user_id"),
    sort="artifact_type",
    parameters=("date", "filter[]", "group_by[]", "limit", "page"),
    paged=lambda question: question.by_user or question.by_group or question.by_product,
)

SUMMARY_PARAMETERS = ("starting_date", "ending_date", "filter[]", "limit", "page")
SUMMARY_FILTERS = {"rbac_group_id": an_id(GROUP)}
