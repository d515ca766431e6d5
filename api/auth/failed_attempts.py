"""Refused credentials, counted by address: they cost us something, and anybody may send them.

Failures alone count, and a good credential is let through however many failed at its address: one provider, proxy or
office has one for all its people. Whoever failed too often only shares a few threads with others who did, is told 429
in place of the reason, and stands in the audit log no more.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar.connection import ASGIConnection

from api.client_address import address_of, network_of
from api.context import Context
from api.errors import Unauthenticated
from api.rate_limit import RateLimiter
from api.thread_pool import OWNER

logger = logging.getLogger("tally.api")

STRANGERS = "strangers"
"""In whose threads the credentials are looked at of addresses that failed too often."""


@asynccontextmanager
async def doubting(connection: ASGIConnection, context: Context, failures: RateLimiter) -> AsyncIterator[bool]:  # type: ignore[type-arg]
    """Wrap a credential check; yields whether its address has failed too often. Raises RateLimited on a failure."""
    _warn_of_proxies(connection, context)
    whose = network_of(address_of(connection))
    is_doubted = failures.is_full(whose)
    OWNER.set(STRANGERS if is_doubted else whose)
    try:
        yield is_doubted
    except Unauthenticated:
        if not failures.count(whose):
            said = f"More than {failures.requests_a_minute} credentials of this address were refused in a minute."
            raise failures.too_many(whose, said) from None
        raise


def _warn_of_proxies(connection: ASGIConnection, context: Context) -> None:  # type: ignore[type-arg]
    """Once: a proxy that nobody trusts makes one address of all people."""
    if context.trusted_proxies or context.warned_of_proxies or "x-forwarded-for" not in connection.headers:
        return
    context.warned_of_proxies = True
    logger.warning(
        "requests come through %s with X-Forwarded-For, which is not believed: if that is your proxy, name it in "
        "api_trusted_proxies, or all people count as one address",
        address_of(connection),
    )
