"""HTTP that tells an answer which broke off from one that is empty.

A connection that ends within an answer's head is no error to http.client: it takes the end of the stream for the end of
the head, so an answer that lost its length reads as one with nothing in it. To a worker that is a page of which
ClickHouse has no cells, to be counted anew from 0. Here an answer must say how long it is, as ClickHouse's always do,
or it is none; one that then is shorter is an error to urllib3.
"""

from functools import cache
from http.client import HTTPException, HTTPResponse

from clickhouse_connect.driver.httputil import check_env_proxy, get_pool_manager
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection


class TruncatedResponse(HTTPException):
    """The answer does not say how long it is."""


class StrictResponse(HTTPResponse):
    """An answer with a length, or in chunks of which the last one says so."""

    def begin(self) -> None:
        """Read the head. Raises TruncatedResponse."""
        super().begin()
        if self.length is None and not self.chunked:
            raise TruncatedResponse(
                "the answer broke off in its head, or a proxy on the way takes the lengths out of answers"
            )


class WholeConnection(HTTPConnection):
    """Over HTTP."""

    response_class = StrictResponse


class WholeSecureConnection(HTTPSConnection):
    """Over TLS."""

    response_class = StrictResponse


class WholePool(HTTPConnectionPool):
    """Connections over HTTP."""

    ConnectionCls = WholeConnection


class WholeSecurePool(HTTPSConnectionPool):
    """Connections over TLS."""

    ConnectionCls = WholeSecureConnection


def strict_pool(scheme: str, host: str, port: int) -> PoolManager:
    """Connections to a server, by way of the proxy that the environment names for it (`http_proxy`, `https_proxy`)."""
    return _by_way_of(scheme, check_env_proxy(scheme, host, port))


@cache
def _by_way_of(scheme: str, proxy: str | None) -> PoolManager:
    manager: PoolManager = get_pool_manager(**{f"{scheme}_proxy": proxy})
    manager.pool_classes_by_scheme = {"http": WholePool, "https": WholeSecurePool}
    return manager
