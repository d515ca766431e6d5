"""The ways in which a person can be active on a day. presence.sql defines them; docs/metrics.md lists their uses."""

from typing import get_args

from tally_client.events.envelope import Product

PRODUCTS: tuple[str, ...] = get_args(Product)
"""Active in the product."""

ACTIVITY_PRODUCTS = ("chat", "claude_code", "cowork")
"""The products that make an active user (docs/metrics.md). Other products have active people only on request."""

BUSY = ("busy in office_agent", "busy in claude_design", "busy in science")
"""Active in the product, or with a delegation or a remote job: counted in the API's summaries."""

WITH_CHAT, WITH_PROJECT, WITH_ARTIFACT, WITH_TOKENS = "with chat", "with project", "with artifact", "with tokens"

LISTED = "in the list of users"
"""Has anything that the list of users counts (reports/engagement/users.sql)."""

BITS = {
    kind: 1 << place
    for place, kind in enumerate((*PRODUCTS, *BUSY, WITH_CHAT, WITH_PROJECT, WITH_ARTIFACT, WITH_TOKENS, LISTED))
}
"""By kind, its bit in the number that represents a person's day."""
