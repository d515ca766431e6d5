"""Connections to Kafka and ClickHouse as the settings say."""

import logging

from clickhouse_connect.driver.client import Client
from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from deploy.settings import Settings, reveal
from sinks.client import connect, retry_while_unavailable
from sinks.store import Store
from streams.kafka_errors import retry_while_kafka_is_unavailable
from streams.log import KafkaLog

QUERY_SECONDS = 600.0
"""A quarter of a large organization may take minutes to group; the client must not give up before ClickHouse."""

logger = logging.getLogger("tally.connections")

CALL_SECONDS = 30.0
"""How long a worker's call of ClickHouse may take; reports take longer and say so."""


def connect_clickhouse(settings: Settings, timeout: float = CALL_SECONDS) -> Client:
    """A client of the settings' ClickHouse. Raises ClickHouseError when it cannot be reached or refuses the user."""
    password = reveal(settings.clickhouse_password)
    return connect(
        settings.clickhouse_url, settings.clickhouse_user, password, settings.clickhouse_database, timeout=timeout
    )


def open_store(settings: Settings) -> Store:
    """The store at the settings' ClickHouse. Raises ClickHouseError when it cannot be reached."""
    return Store(connect_clickhouse(settings))


def wait_for_store(settings: Settings) -> Store:
    """The store, waited for: a worker that starts while ClickHouse is away is no reason to fall over."""

    def log_retry(error: BaseException, _: int) -> None:
        logger.warning("ClickHouse at %s is unavailable, retrying: %s", settings.clickhouse_url, error)

    return retry_while_unavailable(lambda: open_store(settings), log_retry)


def credentials_of(settings: Settings) -> CredentialsT | None:
    """Faust's form of how to log in to Kafka."""
    options = settings.client_options()
    context = options.get("ssl_context")
    if options["security_protocol"].startswith("SASL"):
        return SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            mechanism=options["sasl_mechanism"],
            ssl_context=context,
        )
    return SSLCredentials(context) if context is not None else None


async def wait_for_kafka(settings: Settings) -> None:
    """Return when Kafka answers. Raises what aiokafka raises when waiting cannot help: a refused login."""

    async def connect_once() -> None:
        async with KafkaLog(settings.kafka_bootstrap, settings.client_options()) as log:
            await log.partitions(())

    await retry_while_kafka_is_unavailable(connect_once, f"Kafka at {settings.kafka_bootstrap} is unavailable")


def report_client(settings: Settings) -> Client:
    """A client for reports, which take longer than a worker's calls."""
    return connect_clickhouse(settings, QUERY_SECONDS)
