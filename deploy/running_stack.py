"""The settings of a command in the folder of a running stack: the stack's own, unless others are named on purpose.

Whoever opens a second terminal has the environment of that terminal, not that of the first one. Without this, the
command would recount, price or end the day by other rules than the processes that it looks at.
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
                f"{name} is {here} here (from {given.origins[name]}), and {there} in {origin}",
                "Leave it out here, or start the stack with it.",
            )


def _remarks(given: Given, stack: Settings, differing: set[str]) -> Iterable[str]:
    for name in IS_SAID:
        if name in differing:
            here, there = getattr(given.settings, name), getattr(stack, name)
            yield f"{name} is {here} for this command (from {given.origins[name]}), and {there} in the running stack"


def _agree(name: str, here: Settings, there: Settings) -> bool:
    """Whether two settings say the same; of a cluster, one server that both name is enough to reach it."""
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
