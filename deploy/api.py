"""`tally api`, wired: settings in, a server over ClickHouse out."""

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta

import uvicorn
from aiokafka.errors import KafkaError
from clickhouse_connect.driver.client import Client

from access.jwt_verifier import JwtVerifier
from api.app import make_app
from api.context import Context, SourcesUnknown
from api.rate_limit import RateLimiter
from deploy.connection_timeouts import PatientProtocol
from deploy.connections import connect_clickhouse, report_client
from deploy.health_server import listen
from deploy.pipeline import HeldBack, PipelineMonitor
from deploy.settings import Settings
from deploy.shutdown import Ending
from queries.sql_files import LONGEST_SECONDS
from sinks.store import Store
from streams.source_names import expected_sources
from streams.topics import TopicsMissing

logger = logging.getLogger("tally.api")

DEADLINE_SECONDS = float(LONGEST_SECONDS)
"""The deadline of a request; clients of the original give up after a minute, load balancers often after 30 s."""

SOURCES_SECONDS = 30.0
"""How long Kafka's list of partitions is cached."""

STOP_SECONDS = 5


class LogSources:
    """The log's sources, as last reported by Kafka. While Kafka is unavailable, the last report is used."""

    def __init__(
        self, ask: Callable[[dict[str, int]], Collection[str]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`ask` takes the epochs and queries Kafka; `clock` counts seconds."""
        self._ask = ask
        self._clock = clock
        self._known: Collection[str] = ()
        self._epochs: dict[str, int] = {}
        self._asked_at = float("-inf")
        self._asking = threading.Lock()

    def __call__(self, client: Client) -> Collection[str]:
        """Return the sources of every event topic. Raises SourcesUnknown until Kafka has reported them once."""
        epochs = Store(client).epochs()
        if self._knows(epochs):
            if self._age() >= SOURCES_SECONDS:
                self._asked_at = self._clock()
                threading.Thread(target=self._refresh, args=(epochs,), daemon=True).start()
            return self._known
        with self._asking:
            if not self._knows(epochs) and (self._age() >= 1.0 or epochs != self._epochs):
                self._refresh(epochs)
        if not self._knows(epochs):
            raise SourcesUnknown("Kafka has not reported its partitions yet")
        return self._known

    def _knows(self, epochs: dict[str, int]) -> bool:
        """Return False if the cached sources have older epochs, because they describe another log."""
        return bool(self._known) and epochs == self._epochs

    def _age(self) -> float:
        return self._clock() - self._asked_at

    def _refresh(self, epochs: dict[str, int]) -> None:
        self._asked_at = self._clock()
        try:
            self._known, self._epochs = self._ask(epochs), epochs
        except (KafkaError, OSError, TopicsMissing) as error:
            logger.warning("Kafka does not report its partitions: %s", error)


def api_context(settings: Settings) -> Context:
    """Return what the API's requests share, under these settings. Nothing is connected yet."""
    return Context(
        connect=lambda: connect_clickhouse(settings, DEADLINE_SECONDS),
        sources=LogSources(lambda epochs: _sources(settings, epochs)),
        clock=settings.clock,
        pipeline=PipelineMonitor(settings),
        held_back=HeldBack(settings),
        grace=timedelta(minutes=settings.completeness_grace_minutes),
        rates=RateLimiter(settings.api_requests_a_minute),
        hide_refusals=settings.api_hide_errors,
        gross_spend_for=settings.api_gross_spend_for.split(","),
        connect_for_long=lambda: report_client(settings),
        reports_dir=settings.reports_dir,
        base_url=settings.base_url(),
        session_lifetime=timedelta(hours=settings.api_session_hours),
        person_rates=RateLimiter(settings.api_person_requests_a_minute),
        sign_ins=RateLimiter(settings.api_sign_ins_a_minute),
        refusals=RateLimiter(settings.api_refusals_a_minute),
        trusted_proxies=settings.api_trusted_proxies,
        hosts=[settings.api_host, *settings.api_hosts.replace(",", " ").split()],
        tokens=JwtVerifier(timedelta(minutes=settings.api_token_minutes)),
        deadline_seconds=DEADLINE_SECONDS,
    )


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests in progress get a few seconds. Raises OSError if the port is taken."""
    ending = Ending()
    ending.heed()
    with listen(settings.api_host, settings.api_port) as listener:
        logger.info("the API listens on %s, port %s", settings.api_host, listener.getsockname()[1])
        context = api_context(settings)
        threading.Thread(target=context.warm, daemon=True).start()
        server = server_of(context)
        ending.begin = lambda: server.handle_exit(signal.SIGTERM, None)
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves the signals to Ending."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing: Ending handles the signals."""
        yield


def server_of(context: Context) -> uvicorn.Server:
    """Return a server that ends its streams when it is stopped."""
    server = _Server(server_config(context))
    context.stopping = lambda: server.should_exit
    return server


def server_config(context: Context) -> uvicorn.Config:
    """Return uvicorn's configuration: without an access log, which would contain what people filter by, and without a
    Server header."""
    return uvicorn.Config(
        make_app(context),
        http=PatientProtocol,
        proxy_headers=bool(context.trusted_proxies),
        forwarded_allow_ips=context.trusted_proxies,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        h11_max_incomplete_event_size=64 << 10,
    )


def _sources(settings: Settings, epochs: dict[str, int]) -> Collection[str]:
    return asyncio.run(expected_sources(settings.kafka_bootstrap, settings.client_options(), epochs))
