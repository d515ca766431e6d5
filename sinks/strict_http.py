"""HTTP that distinguishes a truncated response from an empty one.

http.client does not report a connection that ends within the response headers: it takes the end of the stream for the
end of the headers, so a response that lost its length appears to be empty. A worker would conclude that ClickHouse has
no cells of a page, and count it again from 0. Here a response must state its length, as ClickHouse's always do, or it
is an error; urllib3 reports a response that is shorter than its length.
"""

from functools import cache
from http.client import HTTPException, HTTPResponse

from clickhouse_connect.driver.httputil import check_env_proxy, get_pool_manager
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection


class TruncatedResponse(HTTPException):
    """The response does not state its length."""


class StrictResponse(HTTPResponse):
    """A response with a length, or in chunks, whose last one marks the end."""

    def begin(self) -> None:
        """Read the headers. Raises TruncatedResponse."""
        super().begin()
        if self.length is None and not self.chunked:
            raise TruncatedResponse(
                "the response has no length: it broke off in its headers, or a proxy removes the lengths of responses"
            )


class WholeConnection(HTTPConnection):
    """A connection over HTTP."""

    response_class = StrictResponse


class WholeSecureConnection(HTTPSConnection):
    """A connection over TLS."""

    response_class = StrictResponse


class WholePool(HTTPConnectionPool):
    """A pool of connections over HTTP."""

    ConnectionCls = WholeConnection


class WholeSecurePool(HTTPSConnectionPool):
    """A pool of connections over TLS."""

    ConnectionCls = WholeSecureConnection


def strict_pool(scheme: str, host: str, port: int) -> PoolManager:
    """Return connections to a server, through the proxy in the environment if there is one (`http_proxy`,
    `https_proxy`)."""
    return _by_way_of(scheme, check_env_proxy(scheme, host, port))


@cache
def _by_way_of(scheme: str, proxy: str | None) -> PoolManager:
    manager: PoolManager = get_pool_manager(**{f"{scheme}_proxy": proxy})
    manager.pool_classes_by_scheme = {"http": WholePool, "https": WholeSecurePool}
    return manager
