"""Walking the API with the official SDK, unmodified: base URL, key and strict validation are all that is set."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import anthropic

from tests.support.api_server import Served

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 19)
RANGE: dict[str, Any] = {"starting_date": FIRST, "ending_date": LAST + timedelta(days=1)}
DAY = date(2026, 11, 17)

METHODS = ("summaries", "users", "apps.chat.projects", "connectors", "skills", "plugins", "artifacts")
"""Of `client.organization.analytics` and of `client.beta.organization.analytics`, each with `list`.

The latter has the reports, too.
"""


def walk(served: Served, key: str, method: str, beta: bool = False, **parameters: Any) -> list[dict[str, Any]]:
    """All rows of all pages, as the synchronous SDK gives them."""
    with anthropic.Anthropic(
        base_url=served.base_url, api_key=key, max_retries=0, _strict_response_validation=True
    ) as client:
        return [row.to_dict(mode="json") for row in _method(client, method, beta)(**parameters)]


async def walk_async(
    served: Served, key: str, method: str, beta: bool = False, **parameters: Any
) -> list[dict[str, Any]]:
    """The same with the asynchronous SDK."""
    async with anthropic.AsyncAnthropic(
        base_url=served.base_url, api_key=key, max_retries=0, _strict_response_validation=True
    ) as client:
        return [row.to_dict(mode="json") async for row in _method(client, method, beta)(**parameters)]


def _method(client: Any, method: str, beta: bool) -> Any:
    found = client.beta.organization.analytics if beta else client.organization.analytics
    for name in method.split("."):
        found = getattr(found, name)
    return found.list


def numbers(row: Mapping[str, Any], prefix: str = "") -> dict[str, int]:
    """The row's counts by dotted name, those that are 0 left out."""
    found: dict[str, int] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            found |= numbers(value, f"{prefix}{name}.")
        elif isinstance(value, int) and not isinstance(value, bool) and value:
            found[prefix + name] = value
    return found


def counted(counts: Mapping[str, int]) -> dict[str, int]:
    """A recount's counts, those that are 0 left out."""
    return {name: count for name, count in counts.items() if count}
