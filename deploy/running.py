"""The settings of a command in the folder of a running stack: the stack's own, unless others are named on purpose.

Whoever opens a second terminal has the environment of that terminal, not that of the first one. Without this, the
command would recount, price or end the day by other rules than the processes that it looks at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.embedded.stack import read_settings
from deploy.errors import UserError
from deploy.settings import Given, Settings, settings_from

KAFKA_LOGIN = (
    *("kafka_security_protocol", "kafka_sasl_mechanism", "kafka_sasl_username", "kafka_sasl_password"),
    "kafka_ca_file",
)
CLICKHOUSE_LOGIN = ("clickhouse_user", "clickhouse_password")

MUST_AGREE = ("consumer_group", "partitions", "replication_factor", "dedup_block_size", "dedup_blocks")
"""How the stack's log is made and folded: another value would fold it, or recount it, by another rule."""

IS_SAID = (
    *("kafka_bootstrap", "clickhouse_url", "clickhouse_database", "reports_dir", "completeness_grace_minutes"),
    *("prices_file", "now"),
)
"""What may be meant differently for one command, and changes its answer. All other settings belong to one process."""


@dataclass(frozen=True)
class Effective:
    """Settings, from where each came that is not its default, and what a person should be told about them."""

    settings: Settings
    origins: Mapping[str, str]
    remarks: tuple[str, ...] = ()


def beside_the_stack(given: Given) -> Effective:
    """The settings of a command that was given `given`: the running stack's, if one runs over the data folder, then
    what was named for this command.

    Who names another Kafka or another ClickHouse means it, and is not sent there with the stack's login; who names
    both means another installation. Raises UserError for a value that contradicts the stack.
    """
    folder = given.settings.data_dir
    texts = read_settings(folder)
    if texts is None:
        return Effective(given.settings, given.origins)
    origin = f"the stack that runs over {folder}"
    stack = settings_from(texts, dict.fromkeys(texts, origin))
    differing = {name for name in given.origins if not _agree(getattr(given.settings, name), getattr(stack, name))}
    other_kafka = "kafka_bootstrap" in differing and not _same_servers(given.settings, stack)
    other_clickhouse = "clickhouse_url" in differing and not _same_host(given.settings, stack)
    if other_kafka and other_clickhouse:
        return Effective(given.settings, given.origins)
    if not other_kafka:
        _refuse(given, stack, origin, differing)
    left_out = {
        *(KAFKA_LOGIN if other_kafka else ("kafka_sasl_password",) if "kafka_sasl_username" in differing else ()),
        *(CLICKHOUSE_LOGIN if other_clickhouse else ("clickhouse_password",) if "clickhouse_user" in differing else ()),
        *given.origins,
    }
    taken = [name for name in Settings.model_fields if name not in left_out]
    values = {name: getattr(given.settings, name) for name in left_out} | {name: texts[name] for name in taken}
    origins = dict.fromkeys(taken, origin) | dict(given.origins)
    return Effective(settings_from(values, origins), origins, tuple(_remarks(given, stack, differing)))


def _refuse(given: Given, stack: Settings, origin: str, differing: set[str]) -> None:
    for name in MUST_AGREE:
        if name in differing:
            here, there = getattr(given.settings, name), getattr(stack, name)
            raise UserError(
                f"{name} is {here} here (from {given.origins[name]}), and {there} in {origin}",
                "Leave it out here, or start the stack with it.",
            )


def _remarks(given: Given, stack: Settings, differing: set[str]) -> Iterable[str]:
    for name in IS_SAID:
        if name in differing:
            here, there = getattr(given.settings, name), getattr(stack, name)
            yield f"{name} is {here} for this command (from {given.origins[name]}), and {there} in the running stack"


def _agree(here: Any, there: Any) -> bool:
    if isinstance(here, Path) and isinstance(there, Path):
        return here.resolve() == there.resolve()
    return bool(here == there)


def _same_servers(here: Settings, there: Settings) -> bool:
    """Whether a server is named by both: one name of a cluster is enough to reach it."""
    return bool({*_plain(here.kafka_bootstrap).split(",")} & {*_plain(there.kafka_bootstrap).split(",")})


def _same_host(here: Settings, there: Settings) -> bool:
    return _plain(here.clickhouse_url) == _plain(there.clickhouse_url)


def _plain(address: str) -> str:
    return address.lower().replace("localhost", "127.0.0.1")
