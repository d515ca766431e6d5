"""What OpenAPI cannot tell schemathesis: which days hold something, how ids look, which parameters exclude each other.

Loaded by schemathesis itself (SCHEMATHESIS_HOOKS). Without it nearly every request is refused before anything is read.
"""

from datetime import date, timedelta
from typing import Any
from zlib import crc32

import schemathesis
from hypothesis import strategies as st

FIRST, DAYS = date(2026, 10, 20), 32
"""Days of the simulated world, and two that have not come yet."""

ID = "5b4ff1a2-6a3e-4d67-9d8e-0a6a3d1c2b4f"
VALUES = {
    "user_id": ID,
    "rbac_group_id": ID,
    "project_id": ID,
    "product": "chat",
    "share_status": "public",
    "artifact_type": "text/html",
    "is_shared": "true",
}
"""A value of each dimension of `filter[]` that takes more than a name."""

NO_IDS = {"claude_tag_user_ids[]", "slack_channel_ids[]"}
"""Lists of reports that end like ids, and take any text."""

days = st.integers(0, DAYS).map(lambda number: str(FIRST + timedelta(days=number)))
schemathesis.openapi.format("date", days)
schemathesis.openapi.format("date-time", days.map(lambda day: f"{day}T00:00:00Z"))


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    """Three of four valid requests without contradictions; the rest, and what is wrong on purpose, stay as they are."""
    query = dict(case.query or {})
    is_valid = case.meta is not None and case.meta.generation.mode is schemathesis.GenerationMode.POSITIVE
    if is_valid and crc32(repr(sorted(query.items())).encode()) % 4:
        case.query = _consistent(case.operation, query)
    return case


def _consistent(operation: Any, query: dict[str, Any]) -> dict[str, Any]:
    plausible = {name: _plausible(name, value) for name, value in query.items() if name != "page"}
    if operation.path.endswith("claude_code"):
        return plausible | {"starting_at": str(FIRST)}
    if any(parameter.name == "starting_at" for parameter in operation.query):
        return _report(plausible)
    if "starting_date" in plausible:
        plausible.pop("date", None)
    _in_order(plausible, "starting_date", "ending_date")
    return plausible


def _report(query: dict[str, Any]) -> dict[str, Any]:
    query.setdefault("starting_at", f"{FIRST}T00:00:00Z")
    _in_order(query, "starting_at", "ending_at")
    query.pop("exclude_deleted_users", None)
    if "ending_at" not in query or "time_bucket_width" not in query:
        query.pop("time_bucket_width", None)
    if query.get("bucket_width") == "1m" or query.get("time_bucket_width") == "1m" or "ending_at" not in query:
        query = {name: value for name, value in query.items() if not name.endswith("bucket_width")}
    if isinstance(groups := query.get("group_by[]"), list):
        query["group_by[]"] = groups[:5]
    return query


def _in_order(query: dict[str, Any], start: str, end: str) -> None:
    """An end without a start, or before it, is left out."""
    if start not in query or str(query.get(end, "")) <= str(query[start]):
        query.pop(end, None)


def _plausible(name: str, value: Any) -> Any:
    if name == "filter[]" and isinstance(value, list):
        return [f"{dimension}:{VALUES.get(dimension, text)}" for dimension, _, text in map(_parted, value)]
    if name.endswith("_ids[]") and name not in NO_IDS:
        return [f"user_01{'1' * 22}" if name == "actor_ids[]" else ID]
    return value


def _parted(entry: Any) -> tuple[str, str, str]:
    return str(entry).partition(":")
