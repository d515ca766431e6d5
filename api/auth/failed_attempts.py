"""Rate limits on failed authentication, by address: checking a credential is expensive, and anyone may send one.

Only failures count. A valid credential is accepted however many failed at its address, since a provider, proxy or
office has one address for all its people. After too many failures an address shares a few threads with other such
addresses, gets 429 instead of the reason, and is no longer written to the audit log.
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
"""The owner of the threads that check credentials from addresses with too many failures."""


@asynccontextmanager
async def doubting(connection: ASGIConnection, context: Context, failures: RateLimiter) -> AsyncIterator[bool]:  # type: ignore[type-arg]
    """Wrap a credential check; yields True if its address has failed too often. Raises RateLimited on a failure."""
    _warn_of_proxies(connection, context)
    whose = network_of(address_of(connection))
    is_doubted = failures.is_full(whose)
    OWNER.set(STRANGERS if is_doubted else whose)
    try:
        yield is_doubted
    except Unauthenticated:
        if not failures.count(whose):
            said = f"More than {failures.requests_a_minute} credentials from this address were refused in a minute."
            raise failures.too_many(whose, said) from None
        raise


def _warn_of_proxies(connection: ASGIConnection, context: Context) -> None:  # type: ignore[type-arg]
    """Warn once about a proxy that is not trusted: it makes all people share one address."""
    if context.trusted_proxies or context.warned_of_proxies or "x-forwarded-for" not in connection.headers:
        return
    context.warned_of_proxies = True
    logger.warning(
        "requests arrive through %s with X-Forwarded-For, which is ignored: if that is your proxy, add it to "
        "api_trusted_proxies, otherwise all people count as one address",
        address_of(connection),
    )
