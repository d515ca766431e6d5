"""Settings of a command in the folder of a running stack: the stack's own, unless others are given on purpose.

A second terminal does not have the environment of the one that started the stack. Without this, the command would
recount, price or end the day by other rules than the processes that it inspects.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.stack import read_settings
from deploy.errors import UserError
from deploy.settings import Given, Settings, settings_from

KAFKA_LOGIN = (
    *("kafka_security_protocol", "kafka_sasl_mechanism", "kafka_sasl_username", "kafka_sasl_password"),
    "kafka_ca_file",
)
CLICKHOUSE_LOGIN = ("clickhouse_user", "clickhouse_password")

MUST_AGREE = ("consumer_group", "partitions", "replication_factor", "dedup_block_size", "dedup_blocks")
"""Settings by which the stack's log is created and folded: another value would fold or recount it by other rules."""

IS_SAID = (
    *("kafka_bootstrap", "clickhouse_url", "clickhouse_database", "reports_dir", "completeness_grace_minutes"),
    *("prices_file", "now"),
)
"""Settings that may differ for one command and change its result, which is reported. Other settings belong to one
process."""


@dataclass(frozen=True)
class Effective:
    """Settings, the origin of each that is not at its default, and messages about them for the user."""

    settings: Settings
    origins: Mapping[str, str]
    remarks: tuple[str, ...] = ()


def beside_the_stack(given: Given) -> Effective:
    """Return the settings of a command that was given `given`: those of the stack that runs over the data folder, if
    there is one, overridden by those given for this command.

    Another Kafka or another ClickHouse is taken as intended, and does not receive the stack's login; if both are given,
    the command is for another installation. Raises UserError if a value contradicts the stack.
    """
    folder = given.settings.data_dir
    texts = read_settings(folder)
    if texts is None:
        return Effective(given.settings, given.origins)
    origin = f"the stack that runs over {folder}"
    stack = settings_from(texts, dict.fromkeys(texts, origin))
    differing = {name for name in given.origins if not _agree(name, given.settings, stack)}
    other_kafka, other_clickhouse = "kafka_bootstrap" in differing, "clickhouse_url" in differing
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
                f"{name} is {here} for this command (from {given.origins[name]}), but {there} in {origin}",
                "Remove it here, or start the stack with it.",
            )


def _remarks(given: Given, stack: Settings, differing: set[str]) -> Iterable[str]:
    for name in IS_SAID:
        if name in differing:
            here, there = getattr(given.settings, name), getattr(stack, name)
            yield f"{name} is {here} for this command (from {given.origins[name]}), but {there} in the running stack"


def _agree(name: str, here: Settings, there: Settings) -> bool:
    """Return True if a setting means the same in both; for a cluster, one server in common is enough."""
    if name == "kafka_bootstrap":
        return bool({*_plain(here.kafka_bootstrap).split(",")} & {*_plain(there.kafka_bootstrap).split(",")})
    if name == "clickhouse_url":
        return _plain(here.clickhouse_url) == _plain(there.clickhouse_url)
    mine, theirs = getattr(here, name), getattr(there, name)
    if isinstance(mine, Path) and isinstance(theirs, Path):
        return mine.resolve() == theirs.resolve()
    return bool(mine == theirs)


def _plain(address: str) -> str:
    return address.lower().replace("localhost", "127.0.0.1")
