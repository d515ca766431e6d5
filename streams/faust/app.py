"""The Faust application: its settings, each with what was measured, and the services that run next to its agents."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import faust
from faust.types.auth import CredentialsT
from mode import Service

from streams.faust import BatchScheduler, BatchTransport, Hooks
from streams.faust.agents import BatchHandler, add_agent

logger = logging.getLogger("tally.app")

Work = Callable[[], Awaitable[None]]

SETTINGS: dict[str, Any] = {
    # Idle after kill -9: 6-9 s at a session of 6 s, 12 s at 10.
    "broker_session_timeout": 6,
    "broker_heartbeat_interval": 2,
    "broker_request_timeout": 15,
    "broker_rebalance_timeout": 8,
    # Seconds. A worker that back-pressure blocks for longer leaves the group and was not seen to come back.
    "broker_max_poll_interval": 2_000_000,
    "broker_commit_interval": 1,
    "broker_max_poll_records": 5000,
    # "earliest" would turn a recreated topic into silence; positions come from ClickHouse.
    "consumer_auto_offset_reset": "none",
    "consumer_max_fetch_size": 1024 * 1024,
    # How long a new partition, or a recreated topic, may go unnoticed; Faust's default is 5 minutes.
    "consumer_metadata_max_age_ms": 5_000,
    "ConsumerScheduler": BatchScheduler,
    "stream_wait_empty": False,
    "stream_recovery_delay": 0.0,
    # Counts batches, for each agent; a full one stalls all topics.
    "stream_buffer_maxsize": 4,
    "table_standby_replicas": 0,
    "topic_disable_leader": True,
    "topic_allow_declare": False,
    "web_enabled": False,
    "store": "memory://",
}
"""Faust's settings that do not depend on the installation."""


class BatchApp(faust.App):
    """A Faust application whose agents are fed whole record batches."""

    tally_hooks: Hooks

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)


def make_app(
    group: str,
    bootstrap: str,
    topics: list[str],
    datadir: Path,
    hooks: Hooks,
    process: BatchHandler,
    credentials: CredentialsT | None = None,
    name: str | None = None,
) -> BatchApp:
    """Return the worker's application, with one agent for each topic; `name` is its client id in the group."""
    app = BatchApp(
        group,
        broker="kafka://" + bootstrap.replace(",", ";kafka://"),
        broker_credentials=credentials,
        broker_client_id=name,
        **SETTINGS,
        datadir=str(datadir),
        loghandlers=[],
    )
    app.tally_hooks = hooks
    for topic in topics:
        add_agent(app, topic, process, hooks.on_failure)
    return app


def attach_service(app: BatchApp, start: Work, run: Work, before_leaving: Work, stop: Work) -> None:
    """Run work next to the agents: `start` and `run` with the app, `before_leaving` before its partitions are released,
    `stop` at the end."""

    class Companion(Service):
        async def on_start(self) -> None:
            await start()

        async def on_stop(self) -> None:
            await stop()

        @Service.task
        async def _run(self) -> None:
            await run()

    @app.on_before_shutdown.connect
    async def leave(*_: object, **__: object) -> None:
        await before_leaving()

    app.service(Companion)
