"""Every metric, one typed function each, for the API, the dashboard and exports.

Open a context for an organization and pass it to a metric:
`spend(open_context(client, organization_id, sources, grace), window("mtd", day))`. `catalogue.METRICS` lists all
metrics; docs/metrics.md defines them.
"""

from reports.metrics.active_users import active_people, active_users, token_users
from reports.metrics.breakdowns import (
    Breakdown,
    ConnectorCalls,
    NamedValue,
    PersonActivity,
    PersonSpend,
    PersonUsage,
    connector_use,
    person_activity,
    person_of,
    person_spend,
    person_usage,
)
from reports.metrics.catalogue import METRICS
from reports.metrics.claude_ai import (
    Thing,
    artifacts_created,
    chats_started,
    people_with,
    projects_created,
    top_people_by_artifacts_made,
    top_people_by_projects_used,
)
from reports.metrics.claude_code import ClaudeCode, Decisions, RankedBy, claude_code, top_people_by_claude_code
from reports.metrics.connectors import Connector, TopConnectors, connector_people, top_connectors
from reports.metrics.metric import Metric
from reports.metrics.people import DEFAULT_LIMIT, name_people
from reports.metrics.query_context import QueryContext, open_context
from reports.metrics.result_types import (
    DELETED_USER,
    Actives,
    Adoption,
    Day,
    Leader,
    Leaders,
    PeopleCount,
    Person,
    Ratio,
    ResultMeta,
    Seats,
    Series,
    Share,
    Totals,
)
from reports.metrics.retention import (
    ActiveDays,
    Cohort,
    Lifecycle,
    Retention,
    active_days,
    lifecycle,
    retention,
    stickiness,
)
from reports.metrics.seats import pending_invites, seats, utilization
from reports.metrics.spend import (
    ModelSpend,
    Spend,
    SpendByModel,
    SpendLeaders,
    SpendTotal,
    spend,
    spend_by_model,
    spend_in_products,
    top_people_by_spend,
)
from reports.presence.activity_kinds import ACTIVITY_PRODUCTS

__all__ = [
    "ACTIVITY_PRODUCTS",
    "DEFAULT_LIMIT",
    "DELETED_USER",
    "METRICS",
    "ActiveDays",
    "Actives",
    "Adoption",
    "Breakdown",
    "ClaudeCode",
    "Cohort",
    "Connector",
    "ConnectorCalls",
    "Day",
    "Decisions",
    "Leader",
    "Leaders",
    "Lifecycle",
    "Metric",
    "ModelSpend",
    "NamedValue",
    "PeopleCount",
    "Person",
    "PersonActivity",
    "PersonSpend",
    "PersonUsage",
    "QueryContext",
    "RankedBy",
    "Ratio",
    "ResultMeta",
    "Retention",
    "Seats",
    "Series",
    "Share",
    "Spend",
    "SpendByModel",
    "SpendLeaders",
    "SpendTotal",
    "Thing",
    "TopConnectors",
    "Totals",
    "active_days",
    "active_people",
    "active_users",
    "artifacts_created",
    "chats_started",
    "claude_code",
    "connector_people",
    "connector_use",
    "lifecycle",
    "name_people",
    "open_context",
    "pending_invites",
    "people_with",
    "person_activity",
    "person_of",
    "person_spend",
    "person_usage",
    "projects_created",
    "retention",
    "seats",
    "spend",
    "spend_by_model",
    "spend_in_products",
    "stickiness",
    "token_users",
    "top_connectors",
    "top_people_by_artifacts_made",
    "top_people_by_claude_code",
    "top_people_by_projects_used",
    "top_people_by_spend",
    "utilization",
]
