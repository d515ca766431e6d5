"""State shared by requests: ClickHouse, freshness of the data, credentials, rate limits and the clock.

ClickHouse's client blocks, so every query runs in a thread, and no request waits past its deadline.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from access.errors import InvalidToken
from access.jwt_verifier import JwtVerifier, Vouched
from access.keys import ApiKey, cursor_secret, find_key, record_use
from access.sessions import Credential, Identity, create_credential, find_credential, redeem_link, use_token
from api.downloads import Downloads
from api.errors import ApiError, Unauthenticated, Unavailable
from api.rate_limit import RateLimiter
from api.schemas.pipeline import Pipeline
from api.thread_pool import OWNER, Threads
from queries.errors import NotAsIssued, PeriodError, RefusedError
from queries.freshness import Freshness, read_freshness
from reports.presence.prefetch import read_ahead
from sinks.client import is_transient

logger = logging.getLogger("tally.api")

T = TypeVar("T")

RETRY_SECONDS = 5
TIMEOUT_EXCEEDED = 159
"""ClickHouse's code for a query that exceeded its time limit."""

UNPREPARED = frozenset({60, 81, 192, 193, 194, 497, 516})
"""UNKNOWN_TABLE, UNKNOWN_DATABASE, and ClickHouse's codes for a wrong user, password or grant."""

USE_SECONDS = 60
"""Least time between two records of a key's last use."""


class SourcesUnknown(Exception):
    """The log's sources are not known now, so neither is the freshness of the data."""


@dataclass
class Context:
    """Everything that a request needs.

    `connect` opens a ClickHouse client; it may fail, and the next request tries again. `sources` returns the sources of
    the log from Kafka's metadata, `pipeline` the state of the log and the tables for operators; both raise
    SourcesUnknown. `grace` is the time after midnight from which a day counts as complete.

    `rates` counts requests by an organization's keys, `person_rates` those by a person or operator. By address,
    `sign_ins` counts failed sign-ins and `refusals` refused keys, tokens and sessions. `strangers_noted` limits audit
    entries for refusals without a known identity. `trusted_proxies`: proxies whose client address is trusted.
    `base_url` is where browsers reach the API, `hosts` lists its further names. `connect_for_long` opens a client whose
    queries may take minutes. `reports_dir`: the folder of issued reports, if it is on this machine. `stopping` is true
    when the server is about to stop, so that endless responses end. `held_back`: by source, a description of the open
    transaction that hides the end of its log. `probes`: threads reserved for health checks.
    """

    connect: Callable[[], Client]
    sources: Callable[[Client], Collection[str]]
    clock: Callable[[], datetime]
    pipeline: Callable[[], Pipeline]
    grace: timedelta
    rates: RateLimiter
    hide_refusals: bool = False
    gross_spend_for: Collection[str] = ()
    connect_for_long: Callable[[], Client] | None = None
    reports_dir: Path | None = None
    stopping: Callable[[], bool] = lambda: False
    base_url: str = "http://127.0.0.1:8080"
    session_lifetime: timedelta = timedelta(hours=8)
    person_rates: RateLimiter = field(default_factory=lambda: RateLimiter(300))
    sign_ins: RateLimiter = field(default_factory=lambda: RateLimiter(10))
    refusals: RateLimiter = field(default_factory=lambda: RateLimiter(60))
    strangers_noted: RateLimiter = field(default_factory=lambda: RateLimiter(60))
    trusted_proxies: str = ""
    hosts: Collection[str] = ()
    warned_of_proxies: bool = False
    tokens: JwtVerifier = field(default_factory=lambda: JwtVerifier(timedelta(hours=1)))
    deadline_seconds: float = 20.0
    threads: Threads = field(default_factory=Threads)
    downloads: Downloads = field(default_factory=Downloads)
    held_back: Callable[[], dict[str, str]] = dict
    probes: Threads = field(default_factory=lambda: Threads(4, 4, kept=0))
    _client: Client | None = None
    _secret: bytes = b""
    _uses: dict[str, datetime] = field(default_factory=dict)
    _connecting: threading.Lock = field(default_factory=threading.Lock)
    _redeeming: threading.Lock = field(default_factory=threading.Lock)

    def connect_for_reports(self) -> Client:
        """Open a separate client for a report, which may take minutes. The caller closes it."""
        return (self.connect_for_long or self.connect)()

    @property
    def is_secure(self) -> bool:
        """True if browsers reach the API over https."""
        return self.base_url.startswith("https:")

    async def run(self, work: Callable[[Client], T]) -> T:
        """Return the result of `work`, run in a thread of the request's owner (OWNER). Raises Unavailable if ClickHouse
        cannot be reached or the deadline passes."""
        call = partial(self._with_client, work)
        deadline = asyncio.timeout(self.deadline_seconds)
        try:
            async with deadline:
                return await self.threads.run(call, OWNER.get())
        except TimeoutError:
            if deadline.expired():
                raise self._too_slow() from None
            raise

    def warm(self) -> None:
        """Read ahead what most responses depend on. Whatever fails here is read by the first request that needs it."""
        with suppress(ApiError):
            self._with_client(read_ahead)

    def _too_slow(self) -> Unavailable:
        message = f"No result within {self.deadline_seconds:g} s. Query fewer days, or try again later."
        return Unavailable(message, RETRY_SECONDS)

    def _with_client(self, work: Callable[[Client], T]) -> T:
        try:
            return work(self._connected())
        except (PeriodError, NotAsIssued):  # the database works: what was requested does not exist
            raise
        except SourcesUnknown as error:
            raise Unavailable(f"{error}. Try again later.", RETRY_SECONDS) from error
        except (ClickHouseError, HTTPError, OSError, RefusedError) as error:
            if not (is_transient(error) or isinstance(error, (HTTPError, RefusedError)) or _is_unprepared(error)):
                raise
            logger.warning("ClickHouse cannot be reached or is not ready: %s", _one_line(error))
            if getattr(error, "code", None) == TIMEOUT_EXCEEDED:
                raise self._too_slow() from error
            raise Unavailable("The database cannot be reached at present. Try again later.", RETRY_SECONDS) from error

    def _connected(self) -> Client:
        with self._connecting:
            if self._client is None:
                self._client = self.connect()
            return self._client

    def key(self, client: Client, text: str) -> ApiKey | None:
        """Return the key with this text if it is active now. Its last use is recorded at most every USE_SECONDS."""
        key, now = find_key(client, text), self.clock()
        if key is None or key.standing(now) != "active":
            return None
        if now - self._uses.get(key.id, datetime.min.replace(tzinfo=now.tzinfo)) >= timedelta(seconds=USE_SECONDS):
            self._uses[key.id] = now
            self._note_use(client, key, now)
        return key

    def _note_use(self, client: Client, key: ApiKey, now: datetime) -> None:
        """Record the key's use. A database that accepts no writes is no reason to refuse a reader."""
        try:
            record_use(client, key, now)
        except (ClickHouseError, HTTPError, OSError) as error:
            logger.warning("the last use of the key %s was not written: %s", key.id, _one_line(error))

    def session(self, client: Client, secret: str) -> Credential | None:
        """Return the session with this secret if it is valid now."""
        return find_credential(client, "session", secret, self.clock())

    def redeem(self, client: Client, link: str) -> Identity | None:
        """Use a one-time link: return its identity, or None. Uses are serialized here, so exactly one of many wins."""
        with self._redeeming:
            return redeem_link(client, link, self.clock())

    async def verify_token(self, token: str) -> Vouched:
        """Return the identity that an identity provider's token proves. Raises Unauthenticated."""
        try:
            return await self.tokens.verify(self.run, token, self.clock())
        except InvalidToken as error:
            raise Unauthenticated(str(error)) from None

    def exchange(self, client: Client, vouched: Vouched) -> Identity | None:
        """Return the identity that a token proves, or None if it was already exchanged for a session."""
        with self._redeeming:
            is_first = use_token(client, vouched.use, self.clock())
        return vouched.holder if is_first else None

    def session_ends(self, proven: datetime | None = None) -> datetime:
        """Return when a session that begins now ends. For a token, it counts from the sign-in at the provider."""
        now = self.clock()
        return min(now, proven or now) + self.session_lifetime

    def open_session(self, client: Client, holder: Identity, ends: datetime) -> str:
        """Create a session and return its secret."""
        return create_credential(client, "session", holder, self.clock(), ends)

    def freshness(self, client: Client) -> Freshness:
        """Return how far the tables reach into the log. Call it before any cell is read."""
        return read_freshness(client, self.sources(client))

    def reach(self) -> Freshness:
        """Return the freshness for a health check, which gets the original error."""
        return self.freshness(self._connected())

    def secret(self, client: Client) -> bytes:
        """Return the secret that seals cursors."""
        self._secret = self._secret or cursor_secret(client)
        return self._secret


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


def _is_unprepared(error: BaseException) -> bool:
    """Return True if an operator must act first: the database or a table is missing, or the login is refused."""
    return getattr(error, "code", None) in UNPREPARED
