"""Billed usage: token and code-execution events folded into spend cells, by the hour.

Cells contain only counts; prices and discounts are joined on read, so a late price needs no re-fold.
"""

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from uuid import UUID

import msgspec
from msgspec import structs

from aggregators.cell_rows import CellKey
from aggregators.cell_tables import ATTRIBUTION_IDS, ATTRIBUTION_TEXTS, MINUTE, SPEND
from aggregators.connectors import name_key
from aggregators.increments import Folded, Row
from aggregators.live import OLDEST_LIVE, live_change
from aggregators.validity import IdInterner, minute_in_bounds
from tally_client.events import Attribution, ExecutionUsed, TokenUsed
from tally_client.events.envelope import NIL

NO_ATTRIBUTION: tuple[str, Sequence[Row]] = (NIL, ())
"""Key and rows of an event without attribution."""


def attribution_id(attribution: Attribution) -> str:
    """Return the 128-bit hash of the attribution's fields as a UUID: equal fields have equal ids in every process."""
    return str(UUID(bytes=blake2b(msgspec.json.encode(attribution), digest_size=16).digest()))


class Attributions:
    """Maps attributions to ids and dimension rows; remembers the latest, because hashing one costs 3 us."""

    def __init__(self, ids: IdInterner, limit: int = 100_000) -> None:
        self._ids = ids
        self._limit = limit
        self._known: OrderedDict[Attribution, Row] = OrderedDict()

    def resolve(self, attribution: Attribution) -> tuple[str, Sequence[Row]]:
        """Return the attribution's id, which is part of the key, and its row. Raises InvalidRecord if an id is
        malformed."""
        row = self._known.get(attribution)
        if row is None:
            row = self._known[attribution] = self._row(attribution)
            if len(self._known) > self._limit:
                self._known.popitem(last=False)
        return row.values[0], (row,)

    def _row(self, attribution: Attribution) -> Row:
        attribution = structs.replace(attribution, skills=tuple(name_key(name) for name in attribution.skills))
        ids = [
            NIL if value is None else self._ids.check(value, f"attribution.{field}")
            for field in ATTRIBUTION_IDS
            for value in (getattr(attribution, field),)
        ]
        return Row(
            "attributions",
            (
                attribution_id(attribution),
                *ids,
                *(getattr(attribution, field) or "" for field in ATTRIBUTION_TEXTS),
                attribution.terminal or "",
                attribution.is_remote,
                attribution.skills,
            ),
        )


class SpendFold:
    """Folds `tally.token`."""

    def __init__(self, ids: IdInterner) -> None:
        self._ids = ids
        self._known = ids.known
        self._attributions = Attributions(ids)

    def __call__(self, event: TokenUsed | ExecutionUsed, log_ms: int) -> Folded:
        """Return what one event adds. Raises InvalidRecord.

        This function determines a worker's speed, so it avoids calls: `live_change` is inlined for tokens.
        """
        minute = minute_in_bounds(event.occurred_at, log_ms, "occurred_at")
        who, organization, product = event.actor, event.organization_id, event.product or ""
        organization = self._known(organization) or self._ids.check(organization, "organization_id")
        actor = self._known(who.id) or self._ids.check(who.id, "actor.id")
        attribution, rows = self._attributions.resolve(event.attribution) if event.attribution else NO_ATTRIBUTION
        page_key = (organization, minute // 60)
        if isinstance(event, ExecutionUsed):
            key: CellKey = (who.type, actor, product, "", "", "", "", "", event.funding, attribution)
            spent = (SPEND, page_key, key, (0, 0, 0, 0, 0, 0, 0, 0, event.spans, event.milliseconds))
            return (spent, *live_change(organization, product, minute, log_ms)), rows
        model, geo = event.model, event.inference_geo or ""
        window, speed = event.context_window or "", event.speed or ""
        key = (who.type, actor, product, model, event.service_tier, window, geo, speed, event.funding, attribution)
        uncached, read, output = event.uncached_input_tokens, event.cache_read_input_tokens, event.output_tokens
        write_5m, write_1h = event.cache_creation_5m_input_tokens, event.cache_creation_1h_input_tokens
        amounts = (0, 1, uncached, read, write_5m, write_1h, output, event.web_search_requests, 0, 0)
        spent = (SPEND, page_key, key, amounts)
        if minute < log_ms // 60_000 + OLDEST_LIVE:
            return (spent,), rows
        live = (0, 1, 1, uncached, read, write_5m, write_1h, output)
        return (spent, (MINUTE, (organization, minute), (product, model), live)), rows
