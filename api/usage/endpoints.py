"""The six reports, declared once: their parameters and rows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from api.usage.buckets import WIDTHS
from api.usage.filters import EVERYBODYS, PEOPLES, Filter
from api.usage.rows import COMPONENTS, View, cost_results, cost_rows, usage_results, usage_rows, user_costs, user_usages
from queries.sql_files import Row

BETA = "analytics-usage-cost-2026-08-24"
"""The value that the header `anthropic-beta` must contain for the newer reports."""

SHARED_GROUPS = (
    *("claude_tag_category", "claude_tag_user_id", "context_window", "inference_geo", "model", "product"),
    *("rbac_group_id", "slack_channel_id", "speed"),
)
EVERY_GROUP = (
    *SHARED_GROUPS,
    *("actor", "actor_type", "agent_id", "api_key_id", "deployment_id", "environment_id", "organization_id"),
    *("service_tier", "session_id", "user_profile_id", "workspace_id"),
)
USAGE_METRICS = ("total_tokens", "output_tokens", "uncached_input_tokens", "requests")
COST_METRICS = ("amount", "list_amount")
MINUTE_GROUPS = ("product", "model", "organization_id")
MINUTE_FILTERS = ("products[]", "models[]", "organization_ids[]")
MOST_GROUPS = 5
"""The maximum number of groupings in the newer reports, not counting components of costs."""

CHOICES: dict[str, tuple[str, ...]] = {
    "bucket_width": tuple(WIDTHS),
    "time_bucket_width": tuple(WIDTHS),
    "order": ("asc", "desc"),
    "exclude_deleted_users": ("true", "false"),
}
"""The values of parameters that have few of them, for all reports."""

TIMES = ("starting_at", "ending_at")
SORTS = ("order_by", "order", "exclude_deleted_users")
PAGES = ("group_by[]", "limit", "page")


@dataclass(frozen=True)
class Report:
    """One report. `metrics`: what its rows can be ordered by, the default first; if empty, it returns time buckets.
    `people`: its rows are about people. `newer`: it has the newer shape, in beta."""

    name: str
    rows: Callable[[Row, View], Iterator[Any]]
    filters: Mapping[str, Filter]
    group_by: tuple[str, ...]
    priced: bool = False
    metrics: tuple[str, ...] = ()
    people: bool = False
    newer: bool = False

    @property
    def width(self) -> str:
        """The parameter with the width of its buckets."""
        return "time_bucket_width" if self.newer else "bucket_width"

    @property
    def orders(self) -> tuple[str, ...]:
        """The names that its rows can be ordered by."""
        return (*self.metrics, "time") if self.newer else self.metrics

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of all its parameters."""
        return (*TIMES, self.width, *self.filters, *(SORTS if self.metrics else ()), *PAGES)

    def choices(self, parameter: str) -> tuple[str, ...]:
        """Return the values of a parameter that has few of them; () for other parameters."""
        if parameter in self.filters:
            return self.filters[parameter].choices
        own = {"group_by[]": self.group_by, "order_by": self.orders}
        return (CHOICES | own).get(parameter, ())


USAGE_REPORT = Report("usage_report", usage_results, PEOPLES, SHARED_GROUPS)
COST_REPORT = Report("cost_report", cost_results, PEOPLES, (*SHARED_GROUPS, *COMPONENTS), priced=True)
USER_USAGE_REPORT = Report("user_usage_report", user_usages, PEOPLES, SHARED_GROUPS, metrics=USAGE_METRICS, people=True)
USER_COST_REPORT = Report(
    "user_cost_report",
    user_costs,
    PEOPLES,
    (*SHARED_GROUPS, *COMPONENTS),
    priced=True,
    metrics=COST_METRICS,
    people=True,
)
USAGE = Report("usage", usage_rows, EVERYBODYS, EVERY_GROUP, metrics=USAGE_METRICS, newer=True)
COST = Report("cost", cost_rows, EVERYBODYS, (*EVERY_GROUP, *COMPONENTS), priced=True, metrics=COST_METRICS, newer=True)
REPORTS = (USAGE_REPORT, COST_REPORT, USER_USAGE_REPORT, USER_COST_REPORT, USAGE, COST)
