"""`tally up`: Kafka, ClickHouse, workers, the export worker and the API on one machine, each in its own process.

A setting with an external Kafka or ClickHouse replaces the embedded one.
"""

import asyncio
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from deploy.database import prepare_database
from deploy.embedded.child import Child, ChildFailed, PortLost
from deploy.embedded.clickhouse import clickhouse_child
from deploy.embedded.kafka import KAFKA_USER, kafka_child
from deploy.embedded.kafka_jars import FetchFailed, default_cache, fetch_kafka
from deploy.embedded.passwords import kept_password
from deploy.embedded.ports import HOST, KeptPorts
from deploy.embedded.stack import StackRunning, hold_stack, publish_settings
from deploy.embedded.supervisor import Supervisor
from deploy.errors import ExitCode, UserError
from deploy.settings import CONFIG_VARIABLE, Settings, reveal, texts_of, variable_of
from streams.topics import ensure_topics, topic_specs

KAFKA_PORT, CLICKHOUSE_PORT, METRICS_PORT = 9092, 8123, 9100


def up(
    settings: Settings,
    command: Sequence[str],
    until: Callable[[Settings], int] | None = None,
    console: Console | None = None,
) -> int:
    """Run the stack until Ctrl-C, or until `until` (called with settings for the stack) returns; return its exit code.

    `command` is how `tally` is started. `console` receives the interleaved log of all processes; without one it goes
    only to `stack.log`.

    Raises UserError if the folder's stack is already running or a part of it does not start.
    """
    data = settings.data_dir.resolve()
    try:
        with hold_stack(data) as ports:
            _fetch(settings, console)
            running = settings_of_stack(settings, ports)
            others = [_exporter(command, running, ports.choose("exporter", METRICS_PORT)), _api(command, running)]
            children = [*_stores(settings, running, data), *_workers(command, running, ports), *others]
            with publish_settings(data, texts_of(running)):
                return Supervisor(data, children, console).run((lambda: until(running)) if until else None)
    except StackRunning as error:
        raise UserError(str(error), "Use it, or stop it with Ctrl-C where it runs.", ExitCode.BUSY) from None
    except FetchFailed as error:
        raise UserError(
            str(error), "It needs the network once; afterwards the files are cached.", ExitCode.UNREACHABLE
        ) from error
    except PortLost as error:
        raise UserError(str(error), "Start again: it will choose another port.", ExitCode.BUSY) from None
    except ChildFailed as error:
        raise UserError(str(error), f"See its log, {data / 'stack.log'}.", ExitCode.UNREACHABLE) from error


def embeds_kafka(settings: Settings) -> bool:
    """Return True if the stack runs its own Kafka: no setting names another."""
    return "kafka_bootstrap" not in settings.model_fields_set


def embeds_clickhouse(settings: Settings) -> bool:
    """Return True if the stack runs its own ClickHouse: no setting names another."""
    return "clickhouse_url" not in settings.model_fields_set


def settings_of_stack(settings: Settings, ports: KeptPorts) -> Settings:
    """Return the settings of the stack's processes, and of commands in any folder that use it: its ports, the passwords
    of its Kafka and its ClickHouse, and absolute paths."""
    paths = {name: value.resolve() for name, value in settings if isinstance(value, Path)}
    found: dict[str, Any] = {**paths, "api_port": ports.choose("api", settings.api_port), "metrics_port": None}
    data = found["data_dir"]
    if embeds_kafka(settings):
        found |= {
            "kafka_bootstrap": f"{HOST}:{ports.choose('kafka', KAFKA_PORT)}",
            "kafka_security_protocol": "SASL_PLAINTEXT",
            "kafka_sasl_mechanism": "PLAIN",
            "kafka_sasl_username": KAFKA_USER,
            "kafka_sasl_password": SecretStr(kept_password(data, "kafka")),
        }
    if embeds_clickhouse(settings):
        found["clickhouse_url"] = f"http://{HOST}:{ports.choose('clickhouse', CLICKHOUSE_PORT)}"
        if not reveal(settings.clickhouse_password):
            found["clickhouse_password"] = SecretStr(kept_password(data, "clickhouse"))
    return settings.model_copy(update=found)


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the settings as environment variables, for a child process.

    They name an empty settings file: `tally.toml` would override the environment, and so this process's flags.
    """
    named = {variable_of(name): text for name, text in texts_of(settings).items() if text is not None}
    return {CONFIG_VARIABLE: os.devnull, **named}


def prepare(settings: Settings) -> None:
    """Prepare topics, database, migrations and prices. Idempotent."""
    report = asyncio.run(
        ensure_topics(
            settings.kafka_bootstrap,
            topic_specs(settings.partitions),
            replication=settings.replication_factor,
            **settings.client_options(),
        )
    )
    for line in (*report.differences, *prepare_database(settings)):
        print(line, file=sys.stderr)


def _fetch(settings: Settings, console: Console | None) -> None:
    """Download Kafka's jars the first time, with a progress bar."""
    if not embeds_kafka(settings):
        return
    columns = (TextColumn("fetching Apache Kafka"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as bar:
        told = partial(_tell_fetched, bar, bar.add_task("", total=None))
        fetch_kafka(settings.download_cache or default_cache(), told)


def _tell_fetched(bar: Progress, task: TaskID, done: int, total: int, name: str) -> None:
    bar.update(task, completed=done, total=total, description=name)


def _stores(settings: Settings, running: Settings, data: Path) -> list[Child]:
    children = []
    if embeds_kafka(settings):
        port = int(running.kafka_bootstrap.rpartition(":")[2])
        password = reveal(running.kafka_sasl_password)
        children.append(kafka_child(data / "kafka", port, cache=settings.download_cache, password=password))
    if embeds_clickhouse(settings):
        port = int(running.clickhouse_url.rpartition(":")[2])
        password = reveal(running.clickhouse_password)
        children.append(clickhouse_child(data / "clickhouse", port, user=running.clickhouse_user, password=password))
    return children


def _workers(command: Sequence[str], running: Settings, ports: KeptPorts) -> list[Child]:
    return [
        _worker(command, running, number, ports.choose(f"worker-{number}", METRICS_PORT + number))
        for number in range(1, running.workers + 1)
    ]


def _worker(command: Sequence[str], running: Settings, number: int, port: int) -> Child:
    name = f"worker-{number}"
    settings = running.model_copy(update={"metrics_port": port, "worker_name": name})
    url = _metrics_url(running, port)
    return Child(
        name=name,
        command=(*command, "worker"),
        env=environment_of(settings),
        ready=lambda: _answers(url + "/alive"),
        before_start=(lambda: prepare(settings)) if number == 1 else None,
        url=url,
    )


def _exporter(command: Sequence[str], running: Settings, port: int) -> Child:
    url = _metrics_url(running, port)
    return Child(
        name="exporter",
        command=(*command, "exporter"),
        env=environment_of(running.model_copy(update={"metrics_port": port})),
        ready=lambda: _answers(url + "/alive"),
        url=url,
    )


def _metrics_url(running: Settings, port: int) -> str:
    """Return the URL of a process's metrics and health on this machine."""
    listens_at = running.metrics_host
    host = HOST if listens_at in ("0.0.0.0", "::") else listens_at  # noqa: S104 - compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _api(command: Sequence[str], running: Settings) -> Child:
    url = running.api_url()
    return Child(
        name="api",
        command=(*command, "api"),
        env=environment_of(running),
        ready=lambda: _answers(url + "/alive"),
        url=url,
    )


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310 - our own address
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False
