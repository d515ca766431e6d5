"""Every metric, one typed function each, for the API, the dashboard and exports alike.

`look` at an organization, then ask: `spend(look(client, organization_id, sources, grace), window("mtd", day))`.
`catalogue.METRICS` lists them all; docs/metrics.md says what each means.
"""

from reports.metrics.active import active_people, active_users, token_users
from reports.metrics.answers import (
    DELETED_USER,
    About,
    Actives,
    Adoption,
    Day,
    Leader,
    Leaders,
    PeopleCount,
    Person,
    Ratio,
    Seats,
    Series,
    Share,
    Totals,
)
from reports.metrics.catalogue import METRICS, Metric
from reports.metrics.coding import ClaudeCode, Decisions, RankedBy, claude_code, top_people_by_claude_code
from reports.metrics.connectors import Connector, TopConnectors, top_connectors
from reports.metrics.creations import (
    Thing,
    artifacts_created,
    chats_started,
    people_with,
    projects_created,
    top_people_by_artifacts_made,
    top_people_by_projects_used,
)
from reports.metrics.engagement import (
    ActiveDays,
    Cohort,
    Lifecycle,
    Retention,
    active_days,
    lifecycle,
    retention,
    stickiness,
)
from reports.metrics.people import TOP, name_people
from reports.metrics.reading import FIRST_KEPT_DAY, Reading, look
from reports.metrics.seating import pending_invites, seats, utilization
from reports.metrics.spending import (
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
from reports.presence.kinds import ACTIVITY_PRODUCTS

__all__ = [
    "ACTIVITY_PRODUCTS",
    "DELETED_USER",
    "FIRST_KEPT_DAY",
    "METRICS",
    "TOP",
    "About",
    "ActiveDays",
    "Actives",
    "Adoption",
    "ClaudeCode",
    "Cohort",
    "Connector",
    "Day",
    "Decisions",
    "Leader",
    "Leaders",
    "Lifecycle",
    "Metric",
    "ModelSpend",
    "PeopleCount",
    "Person",
    "RankedBy",
    "Ratio",
    "Reading",
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
    "lifecycle",
    "look",
    "name_people",
    "pending_invites",
    "people_with",
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
