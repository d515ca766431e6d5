"""All settings in one frozen object: from the environment, then a TOML file, then flags; later ones override.

`kafka_bootstrap` is TALLY_KAFKA_BOOTSTRAP in the environment, `kafka_bootstrap = ...` in the TOML file (`tally.toml` in
the working folder, or --config, or TALLY_CONFIG) and --kafka-bootstrap on the command line. An unknown setting is an
error in all three, because a misspelt one would silently keep its default. Only `deploy` and `cli` import this: other
packages take plain arguments.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AwareDatetime,
    Field,
    FilePath,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.errors import ExitCode, UserError
from tally_client.validity import bare

PREFIX = "TALLY_"
CONFIG_VARIABLE = "TALLY_CONFIG"
DEFAULT_CONFIG = Path("tally.toml")

Port = int


class Settings(BaseSettings):
    """Addresses of Tally's Kafka and ClickHouse, and the behaviour of its processes. Usually created by `load`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, validate_default=False
    )

    kafka_bootstrap: str = Field("127.0.0.1:9092", description="Kafka's host:port, comma-separated")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how to connect to Kafka"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "PLAIN", description="how to log in to Kafka"
    )
    kafka_sasl_username: str | None = Field(None, description="Kafka user")
    kafka_sasl_password: SecretStr | None = Field(None, description="Kafka password")
    kafka_ca_file: FilePath | None = Field(None, description="PEM file of the CA that signed Kafka's certificate")
    clickhouse_url: str = Field("http://127.0.0.1:8123", description="URL of ClickHouse's HTTP interface")
    clickhouse_user: str = Field("default", description="ClickHouse user")
    clickhouse_password: SecretStr = Field(SecretStr(""), description="ClickHouse password")
    clickhouse_database: str = Field(
        "tally", pattern=r"^[A-Za-z_]\w{0,62}$", description="database with Tally's tables"
    )
    consumer_group: str = Field("tally", min_length=1, description="consumer group of the workers")
    worker_name: str | None = Field(
        None, pattern=r"^[A-Za-z0-9._-]{1,200}$", description="name of a worker, the same after a restart"
    )
    download_cache: Path | None = Field(None, description="folder for the embedded stack's downloads (~/.cache/tally)")
    data_dir: Path = Field(Path(".tally"), description="folder of the embedded stack's data")
    reports_dir: Path = Field(
        default_factory=lambda data: data["data_dir"] / "reports", description="folder of issued reports"
    )
    partitions: PositiveInt = Field(4, le=1000, description="partitions of each event topic, when created")
    replication_factor: PositiveInt = Field(1, le=16, description="copies of each topic, when created")
    workers: PositiveInt = Field(1, le=64, description="worker processes that `tally up` starts")
    flush_interval_seconds: PositiveFloat = Field(1.0, le=60, description="seconds between two writes of changed cells")
    unflushed_cells_limit: PositiveInt = Field(100_000, description="maximum of unwritten cells in a worker")
    page_idle_flushes: PositiveInt = Field(60, description="flushes after which an idle page is evicted")
    dedup_block_size: PositiveInt = Field(65_536, description="offsets in a block of the duplicate horizon")
    dedup_blocks: PositiveInt = Field(4, description="number of closed blocks in the duplicate horizon")
    fold_backend: Literal["compiled", "pure"] | None = Field(
        None, description="backend that decodes token events; by default, compiled if it is installed"
    )
    dead_letter_limit: float = Field(
        0.5, gt=0, le=1, description="share of dead letters at which a source stops; 1: never"
    )
    completeness_grace_minutes: NonNegativeInt = Field(
        120, description="minutes after midnight UTC at which a day is complete"
    )
    prices_file: Path | None = Field(None, description="CSV price list to use instead of the shipped one")
    metrics_host: str = Field("127.0.0.1", min_length=1, description="address that metrics and health listen on")
    metrics_port: Port | None = Field(None, ge=1, le=65_535, description="port of metrics and health; none by default")
    api_host: str = Field("127.0.0.1", min_length=1, description="address that the API listens on")
    api_port: Port = Field(8080, ge=1, le=65_535, description="port that the API listens on")
    api_requests_a_minute: PositiveInt = Field(60, description="API requests per minute of an organization's keys")
    api_person_requests_a_minute: PositiveInt = Field(300, description="API requests per minute of a person")
    api_hide_errors: bool = Field(False, description="the API returns 404 instead of 401 and 403")
    api_base_url: str | None = Field(
        None, description="URL at which browsers reach the API; https makes cookies secure"
    )
    api_hosts: str = Field(
        "", pattern=r"^[A-Za-z0-9._, -]*$", description="additional host names of the API, comma-separated"
    )
    api_session_hours: PositiveFloat = Field(8.0, le=168, description="hours after which people sign in again")
    api_token_minutes: PositiveInt = Field(
        60, le=1440, description="maximum lifetime of an identity provider's token, in minutes"
    )
    api_sign_ins_a_minute: PositiveInt = Field(10, description="failed sign-ins per minute from one address")
    api_refusals_a_minute: PositiveInt = Field(
        60, description="refused keys, tokens and sessions per minute from one address"
    )
    api_gross_spend_for: str = Field(
        "",
        description="UUIDs of organizations whose members without spend may compute it from usage, comma-separated",
    )
    api_trusted_proxies: str = Field(
        "", description="addresses and networks of trusted proxies (X-Forwarded-For), comma-separated"
    )
    now: AwareDatetime | None = Field(None, description="fixed date and time, for tests")
    debug: bool = Field(False, description="show tracebacks")

    @field_validator("clickhouse_url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must look like http://host:8123 or https://host:8443")
        if parts.username or parts.password:
            raise ValueError("must not contain a user or password: use clickhouse_user and clickhouse_password")
        return url.rstrip("/")

    @field_validator("prices_file")
    @classmethod
    def _can_be_read_again(cls, path: Path | None) -> Path | None:
        """Check only that an existing file is regular.

        A missing file is reported by the commands that read it; a worker or a sign-out, which do not, must not fail for
        it.
        """
        if path is not None and path.exists() and not path.is_file():
            raise ValueError("must be a regular file, because it is read repeatedly")
        return path

    @field_validator("api_base_url")
    @classmethod
    def _is_origin(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "http://any")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("must look like https://tally.example.com, without a path")
        return url and url.rstrip("/")

    @field_validator("api_gross_spend_for")
    @classmethod
    def _are_uuids(cls, organizations: str) -> str:
        named = [organization.strip() for organization in organizations.split(",") if organization.strip()]
        try:
            return ",".join(bare(organization) for organization in named)
        except ValueError:
            raise ValueError("must be UUIDs of organizations, comma-separated") from None

    @field_validator("api_trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: str) -> str:
        named = [proxy.strip() for proxy in proxies.split(",") if proxy.strip()]
        for proxy in named:
            try:
                ip_network(proxy)
            except ValueError as error:
                raise ValueError(f"must look like 10.0.0.5,10.1.0.0/16,::1: {error}") from None
        return ",".join(named)

    @field_validator("kafka_bootstrap")
    @classmethod
    def _is_host_and_port(cls, bootstrap: str) -> str:
        servers = [server.strip() for server in bootstrap.split(",")]
        if not all(host and port.isdigit() for host, _, port in (server.rpartition(":") for server in servers)):
            raise ValueError("must look like host:9092, or host:9092,other:9092")
        return ",".join(servers)

    @model_validator(mode="after")
    def _login_is_whole(self) -> Self:
        named = self.kafka_sasl_username is not None and self.kafka_sasl_password is not None
        if self.kafka_security_protocol.startswith("SASL") and not named:
            raise ValueError(f"{self.kafka_security_protocol} needs kafka_sasl_username and kafka_sasl_password")
        if not self.kafka_security_protocol.startswith("SASL") and self.kafka_sasl_username is not None:
            raise ValueError("kafka_sasl_username needs kafka_security_protocol SASL_SSL or SASL_PLAINTEXT")
        return self

    def client_options(self) -> dict[str, Any]:
        """Return the keyword arguments with which every aiokafka client connects and logs in."""
        options: dict[str, Any] = {"security_protocol": self.kafka_security_protocol}
        if self.kafka_security_protocol.startswith("SASL"):
            options["sasl_mechanism"] = self.kafka_sasl_mechanism
            options["sasl_plain_username"] = self.kafka_sasl_username
            options["sasl_plain_password"] = reveal(self.kafka_sasl_password)
        if self.kafka_security_protocol.endswith("SSL"):
            options["ssl_context"] = _ssl_context(self.kafka_ca_file)
        return options

    def api_url(self) -> str:
        """The URL of the API on this machine."""
        everywhere = self.api_host in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
        host = "127.0.0.1" if everywhere else self.api_host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.api_port}"

    def base_url(self) -> str:
        """The URL at which browsers reach the API: `api_base_url`, or the URL on this machine."""
        return self.api_base_url or self.api_url()

    def clock(self) -> datetime:
        """Return the current time in UTC, or the setting `now`: the only clock for everything that needs the date."""
        return self.now.astimezone(UTC) if self.now else datetime.now(UTC)


@dataclass(frozen=True)
class Given:
    """Settings, and the origin of each that was given: a flag, the settings file, the environment."""

    settings: Settings
    origins: Mapping[str, str]


def load(config: Path | None = None, flags: Mapping[str, str] | None = None) -> Settings:
    """Return the settings from the environment, the TOML file `config` and `flags` (setting name to text); later ones
    override.

    Without `config`, TALLY_CONFIG or an existing `tally.toml` is read. Raises UserError with the setting, its origin
    and what is wrong with it.
    """
    return load_given(config, flags).settings


def load_given(config: Path | None = None, flags: Mapping[str, str] | None = None) -> Given:
    """Return the settings of `load` with their origins."""
    _refuse_unknown_variables(os.environ)
    path = config or _configured_path()
    in_file, flags = _read_toml(path) if path else {}, flags or {}
    named = {variable.upper() for variable, value in os.environ.items() if value}
    origins = {name: variable_of(name) for name in Settings.model_fields if variable_of(name) in named}
    origins |= {name: str(path) for name in in_file} | dict.fromkeys(flags, "a flag")
    return Given(settings_from({**in_file, **flags}, origins), origins)


def settings_from(values: Mapping[str, Any], origins: Mapping[str, str]) -> Settings:
    """Return the settings with these values, and the environment's for the rest. Raises UserError for a wrong value."""
    try:
        return Settings(**values)
    except ValidationError as error:
        raise UserError(_why(error, origins), "`tally settings` lists all settings.") from error


def texts_of(settings: Settings) -> dict[str, str | None]:
    """Return each setting as text for the environment, including secrets; None if it has no value."""
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    return {
        name: None if value is None else reveal(value) if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }


def reveal(secret: SecretStr | None) -> str:
    """Return the text of a secret, for a client library."""
    return secret.get_secret_value() if secret else ""


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def nearest(name: str) -> str:
    """Return the setting whose name is most similar to `name`."""
    return difflib.get_close_matches(name.lower(), Settings.model_fields, n=1, cutoff=0.0)[0]


def is_secret(name: str) -> bool:
    """Return True if a setting must not be on a command line, which everyone on the machine can read."""
    return "SecretStr" in str(Settings.model_fields[name].annotation)


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    known = {variable_of(name) for name in Settings.model_fields} | {CONFIG_VARIABLE}
    for variable in sorted(environment):
        if variable.upper().startswith(PREFIX) and variable.upper() not in known:
            right = variable_of(nearest(variable[len(PREFIX) :]))
            raise UserError(f"Unknown setting {variable} in the environment", f"The nearest valid one is {right}.")


def _configured_path() -> Path | None:
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    return DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"Cannot read the settings file {path}: {(error.strerror or str(error)).lower()}"
        raise UserError(message, exit_code=ExitCode.FILE) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"The settings file {path} is not TOML: {error}") from error
    for name in table:
        if name not in Settings.model_fields:
            raise UserError(f"Unknown setting {name} in {path}", f"The nearest valid one is {nearest(name)}.")
    return table


def _why(error: ValidationError, origins: Mapping[str, str]) -> str:
    """Return the first error as `setting = value (from origin): what is wrong`, without a secret's value."""
    first = error.errors()[0]
    said = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return f"The settings contradict each other: {said}"
    name = str(first["loc"][0])
    if name not in Settings.model_fields:
        return f"Unknown setting {name}; the nearest valid one is {nearest(name)}"
    value = "" if is_secret(name) else f" = {first['input']!r}"
    return f"The setting {name}{value} (from {origins.get(name, 'its default')}) is wrong: {said}"


def _ssl_context(ca_file: Path | None) -> Any:
    import ssl

    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except ssl.SSLError as error:
        raise UserError(f"kafka_ca_file {ca_file} is not a PEM file of certificates: {error}") from error
