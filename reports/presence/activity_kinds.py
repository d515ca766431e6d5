"""In which ways somebody can have been there on a day. presence.sql says when; docs/metrics.md says what for."""

from typing import get_args

from tally_client.events.envelope import Product

PRODUCTS: tuple[str, ...] = get_args(Product)
"""Active in the product."""

ACTIVITY_PRODUCTS = ("chat", "claude_code", "cowork")
"""What makes an active user (docs/metrics.md). Other products have active people of their own, if asked for."""

BUSY = ("busy in office_agent", "busy in claude_design", "busy in science")
"""Active there, or with a delegation or a remote job: what the summaries of the API count."""

WITH_CHAT, WITH_PROJECT, WITH_ARTIFACT, WITH_TOKENS = "with chat", "with project", "with artifact", "with tokens"

LISTED = "in the list of users"
"""With anything that the list of users counts (reports/engagement/users.sql)."""

BITS = {
    kind: 1 << place
    for place, kind in enumerate((*PRODUCTS, *BUSY, WITH_CHAT, WITH_PROJECT, WITH_ARTIFACT, WITH_TOKENS, LISTED))
}
"""A day of a person is a number with these bits."""
