"""Queries of the usage tables. Values reach ClickHouse as parameters only; the SQL never changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args

from aggregators.cell_tables import ATTRIBUTION_IDS, ATTRIBUTION_TEXTS
from queries.paging import Ranking
from sinks.datetimes import clickhouse_timestamp
from tally_client.events.envelope import ActorType

EVERY_ACTOR_TYPE: tuple[str, ...] = get_args(ActorType)
"""A row's `by_actor_type` counts from 1 in this order; 0 means none."""

ID_DIMENSIONS = ("rbac_group_id", *ATTRIBUTION_IDS)
TEXT_DIMENSIONS = (
    *("product", "model", "service_tier", "context_window", "inference_geo", "speed"),
    *ATTRIBUTION_TEXTS,
)
"""The dimensions of usage whose values are ids, and those whose values are text."""

ATTRIBUTIONS = (*ATTRIBUTION_IDS, *ATTRIBUTION_TEXTS)
ATTRIBUTION_FILTERS = (*(f"{name}s" for name in ATTRIBUTIONS[:-1]), "claude_tag_categories")
"""The dimensions of usage that come from its attribution, and the filters by them."""

GROUPS = ("rbac_group_id", "groups")
"""The dimension and the filter that depend on a person's groups."""

BY_ONE = ("actor", *GROUPS, "users", "service_accounts", "api_keys")
"""The dimensions and filters that depend on a single person or machine."""

DAY_SECONDS = 86_400

FILTERS = (
    *("organizations", "groups", "users", "service_accounts", "api_keys", "actor_types", "products", "models"),
    *("service_tiers", "context_windows", "inference_geos", "speeds"),
    *ATTRIBUTION_FILTERS,
)
"""The filters of rows.sql. Ids are UUIDs; NIL and "" mean none."""


RANKS = ("first_rank", "second_rank")
"""The columns by which rows are ordered before their key, both ascending: decimals as text."""

WHOLE = Ranking("total_tokens", descending=True, limit=1_000_000)
"""The order of a query that is not paged."""


@dataclass(frozen=True)
class UsageQuery:
    """Usage of an organization in [begins, ends), whole hours (with `by_minute`, minutes), filtered and grouped.

    `bucket_seconds` divides it by time (0: not at all); `priced` includes costs. An empty filter matches everything.
    With `rbac_group_id` in `group_by`, usage counts for each group that its person was in on the day, or for none.

    """

    organization_id: str
    begins: datetime
    ends: datetime
    bucket_seconds: int = 0
    by_minute: bool = False
    group_by: Sequence[str] = ()
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    people_only: bool = False
    exclude_deleted: bool = False
    priced: bool = False
    ranking: Ranking = WHOLE

    @property
    def attributed(self) -> bool:
        """True if the result depends on the attribution of usage."""
        return not {*self.group_by, *self.filters}.isdisjoint((*ATTRIBUTIONS, *ATTRIBUTION_FILTERS))

    @property
    def _by_day(self) -> bool:
        """True if daily sums are enough: nothing depends on one person or machine, an attribution, or an hour."""
        one = self.people_only or self.exclude_deleted or self.attributed
        by_one = not {*self.group_by, *self.filters}.isdisjoint(BY_ONE)
        return not (one or by_one or self.by_minute or self.bucket_seconds % DAY_SECONDS)

    def scope(self) -> dict[str, Any]:
        """Return the parameters that select the cells."""
        return {
            "organization_id": self.organization_id,
            "begins": clickhouse_timestamp(self.begins),
            "ends": clickhouse_timestamp(self.ends),
            "by_minute": self.by_minute,
            "priced": self.priced,
            "grouped": not {*self.group_by, *self.filters}.isdisjoint(GROUPS),
            "exclude_deleted": self.exclude_deleted,
        }

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of rows.sql."""
        return self.scope() | {
            "bucket_seconds": self.bucket_seconds,
            "group_by": list(self.group_by),
            "attributed": self.attributed,
            "by_day": self._by_day,
            "people_only": self.people_only,
            "every_actor_type": list(EVERY_ACTOR_TYPE),
            **{name: list(self.filters.get(name, ())) for name in FILTERS},
            **self.ranking.parameters(RANKS, lowest="0"),
        }
