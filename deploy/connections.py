"""Connections to Kafka and ClickHouse according to the settings."""

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
"""Grouping a quarter of a large organization may take minutes; the client must not give up before ClickHouse."""

logger = logging.getLogger("tally.connections")

CALL_SECONDS = 30.0
"""The timeout of a worker's ClickHouse calls; reports take longer and set their own."""


def connect_clickhouse(settings: Settings, timeout: float = CALL_SECONDS) -> Client:
    """Return a client for the ClickHouse of the settings. Raises ClickHouseError if it cannot be reached or refuses the
    user."""
    password = reveal(settings.clickhouse_password)
    return connect(
        settings.clickhouse_url, settings.clickhouse_user, password, settings.clickhouse_database, timeout=timeout
    )


def open_store(settings: Settings) -> Store:
    """Return the store in the ClickHouse of the settings. Raises ClickHouseError if it cannot be reached."""
    return Store(connect_clickhouse(settings))


def wait_for_store(settings: Settings) -> Store:
    """Return the store once ClickHouse is available, so that a worker can start before it."""

    def log_retry(error: BaseException, _: int) -> None:
        logger.warning("ClickHouse at %s is unavailable, retrying: %s", settings.clickhouse_url, error)

    return retry_while_unavailable(lambda: open_store(settings), log_retry)


def credentials_of(settings: Settings) -> CredentialsT | None:
    """Return the Kafka credentials in Faust's form."""
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
    """Wait until Kafka responds. Raises aiokafka's error if waiting cannot help: a refused login."""

    async def connect_once() -> None:
        async with KafkaLog(settings.kafka_bootstrap, settings.client_options()) as log:
            await log.partitions(())

    await retry_while_kafka_is_unavailable(connect_once, f"Kafka at {settings.kafka_bootstrap} is unavailable")


def report_client(settings: Settings) -> Client:
    """Return a client for reports, which take longer than a worker's calls."""
    return connect_clickhouse(settings, QUERY_SECONDS)
