"""What requests share: the way to ClickHouse, how far the data reaches, keys, rates and the clock.

ClickHouse's client blocks, so all that asks it runs in threads, and no request waits longer than its deadline.
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
"""ClickHouse's code for a query that ran longer than it may."""

UNPREPARED = frozenset({60, 81, 192, 193, 194, 497, 516})
"""UNKNOWN_TABLE, UNKNOWN_DATABASE, and its codes for a wrong user, password or grant."""

USE_SECONDS = 60
"""How often the last use of a key is written down."""


class SourcesUnknown(Exception):
    """Nobody can say at present which sources the log has, so not how far the data reaches."""


@dataclass
class Context:
    """All that a request needs. `connect` opens a client of ClickHouse (and may fail: it is tried again by the next
    request), `sources` says what the log has (Kafka's metadata; raises SourcesUnknown), `pipeline` looks at the log and
    the tables for operators (raises SourcesUnknown), and `grace` is how long after midnight a day counts as complete.

    `rates` counts the requests of an organization's keys, `person_rates` those of a person or operator. `sign_ins`
    counts attempts to sign in that were refused, `refusals` keys, tokens and sessions that were, both by address;
    `strangers_noted` is how many refusals of nobody known the audit log takes. `trusted_proxies` are those whose word
    on the address is taken. `base_url` is where browsers reach the API, `hosts` are further names of it.
    `connect_for_long` opens a client whose queries may take minutes, and `reports_dir` is where issued reports are, if
    they are on this machine. `stopping` says that the server is about to stop, so that what would go on for ever ends.
    `held_back` are the sources whose logs an open transaction hides the end of, in words; `probes` are threads of their
    own for looks at the health.
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
        """A client of its own for a report, which may take minutes. The caller closes it."""
        return (self.connect_for_long or self.connect)()

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach the API over https."""
        return self.base_url.startswith("https:")

    async def run(self, work: Callable[[Client], T]) -> T:
        """What `work` gives, in a thread of whoever the request is for (OWNER). Raises Unavailable when ClickHouse is
        away or the deadline passes."""
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
        """Read ahead what most answers are made of. What fails here is read when it is asked for."""
        with suppress(ApiError):
            self._with_client(read_ahead)

    def _too_slow(self) -> Unavailable:
        message = f"No answer within {self.deadline_seconds:g} s. Ask for fewer days, or try again later."
        return Unavailable(message, RETRY_SECONDS)

    def _with_client(self, work: Callable[[Client], T]) -> T:
        try:
            return work(self._connected())
        except (PeriodError, NotAsIssued):  # nothing is away: what was asked for cannot be had
            raise
        except SourcesUnknown as error:
            raise Unavailable(f"{error}. Try again later.", RETRY_SECONDS) from error
        except (ClickHouseError, HTTPError, OSError, RefusedError) as error:
            if not (is_transient(error) or isinstance(error, (HTTPError, RefusedError)) or _is_unprepared(error)):
                raise
            logger.warning("ClickHouse is away, or not ready: %s", _one_line(error))
            if getattr(error, "code", None) == TIMEOUT_EXCEEDED:
                raise self._too_slow() from error
            raise Unavailable("The database cannot be reached at present. Try again later.", RETRY_SECONDS) from error

    def _connected(self) -> Client:
        with self._connecting:
            if self._client is None:
                self._client = self.connect()
            return self._client

    def key(self, client: Client, text: str) -> ApiKey | None:
        """The key of this text, if it is active now. That it was used is noted, now and then."""
        key, now = find_key(client, text), self.clock()
        if key is None or key.standing(now) != "active":
            return None
        if now - self._uses.get(key.id, datetime.min.replace(tzinfo=now.tzinfo)) >= timedelta(seconds=USE_SECONDS):
            self._uses[key.id] = now
            self._note_use(client, key, now)
        return key

    def _note_use(self, client: Client, key: ApiKey, now: datetime) -> None:
        """A database that takes no writes at present is no reason to refuse a reader."""
        try:
            record_use(client, key, now)
        except (ClickHouseError, HTTPError, OSError) as error:
            logger.warning("the last use of the key %s was not written: %s", key.id, _one_line(error))

    def session(self, client: Client, secret: str) -> Credential | None:
        """The session of this secret, if it is good now."""
        return find_credential(client, "session", secret, self.clock())

    def redeem(self, client: Client, link: str) -> Identity | None:
        """Whom a one-time link lets in; one after another here, so that of many at once exactly one is let in."""
        with self._redeeming:
            return redeem_link(client, link, self.clock())

    async def verify_token(self, token: str) -> Vouched:
        """Whom a token of an identity provider vouches for. Raises Unauthenticated."""
        try:
            return await self.tokens.verify(self.run, token, self.clock())
        except InvalidToken as error:
            raise Unauthenticated(str(error)) from None

    def exchange(self, client: Client, vouched: Vouched) -> Identity | None:
        """Whom a token lets in, if it was not exchanged for a session before."""
        with self._redeeming:
            is_first = use_token(client, vouched.use, self.clock())
        return vouched.holder if is_first else None

    def session_ends(self, proven: datetime | None = None) -> datetime:
        """When a session that begins now ends; one made of a token counts from when its person signed in there."""
        now = self.clock()
        return min(now, proven or now) + self.session_lifetime

    def open_session(self, client: Client, holder: Identity, ends: datetime) -> str:
        """A new session's secret."""
        return create_credential(client, "session", holder, self.clock(), ends)

    def freshness(self, client: Client) -> Freshness:
        """How far the tables reach into the log; to be asked before any cell is read."""
        return read_freshness(client, self.sources(client))

    def reach(self) -> Freshness:
        """The same for a probe, which is told what went wrong as it is."""
        return self.freshness(self._connected())

    def secret(self, client: Client) -> bytes:
        """What cursors are sealed with."""
        self._secret = self._secret or cursor_secret(client)
        return self._secret


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


def _is_unprepared(error: BaseException) -> bool:
    """Whether an operator has to do something first: no database or table yet, or the login is refused."""
    return getattr(error, "code", None) in UNPREPARED
