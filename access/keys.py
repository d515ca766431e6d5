"""API keys: create, find, list and revoke. Only the hash of a secret is stored.

A key is `tally_<id>_<secret>`: the id (48 bits) is public, for lists and revocations; the secret is 256 random bits.
SHA-256 without a salt is enough for it, since a secret of that size cannot be found by hashing guesses.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client

from queries.errors import RefusedError
from queries.sql_files import Row, fetch
from sinks.client import insert_rows
from sinks.datetimes import clickhouse_timestamp

FOLDER = Path(__file__).parent
READ_ANALYTICS = "read:analytics"
READ_ACTIVITY = "read:analytics.activity"
"""The scope of a key that reads everything except spend."""
FORM = re.compile(r"tally_[0-9a-f]{12}_[A-Za-z0-9_-]{43}")
COLUMNS = (
    "secret_sha256",
    "key_id",
    "organization_id",
    "name",
    "scopes",
    "created_at",
    "expires_at",
    "revoked_at",
    "revision",
)


class UnknownKey(RefusedError):
    """No key has this id."""


@dataclass(frozen=True)
class ApiKey:
    """A key as it is stored, without its secret. Moments are UTC."""

    id: str
    organization_id: str
    name: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    secret_sha256: str

    def standing(self, now: datetime) -> str:
        """Return "active", "revoked" or "expired", as of `now`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"

    @property
    def can_read(self) -> bool:
        """True if the key may read analytics at all."""
        return not {READ_ANALYTICS, READ_ACTIVITY}.isdisjoint(self.scopes)

    @property
    def can_read_spend(self) -> bool:
        """True if the key may also read spend."""
        return READ_ANALYTICS in self.scopes


def create_key(
    client: Client,
    organization_id: str,
    name: str,
    now: datetime,
    expires_at: datetime | None,
    scopes: Sequence[str] = (READ_ANALYTICS,),
) -> tuple[ApiKey, str]:
    """Create a key for the organization. Returns it with its text, which cannot be read again later."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    text = f"tally_{key_id}_{secret}"
    key = ApiKey(key_id, organization_id, name, list(scopes), now, expires_at, None, None, secret_hash(text))
    _write(client, key, revision=0)
    return key, text


def find_key(client: Client, text: str) -> ApiKey | None:
    """Return the key with this text, active or not; None if there is none."""
    if not FORM.fullmatch(text):
        return None
    found = fetch(client, FOLDER / "find_key.sql", {"secret_sha256": secret_hash(text)})
    return _key(found[0]) if found else None


def list_keys(client: Client, organization_id: str = "") -> list[ApiKey]:
    """Return all keys, or those of one organization, oldest first."""
    return [_key(row) for row in fetch(client, FOLDER / "list_keys.sql", {"organization_id": organization_id})]


def revoke_key(client: Client, key_id: str, now: datetime) -> ApiKey:
    """Revoke the key with this public id as of `now`; a revoked key stays unchanged. Raises UnknownKey."""
    found = next((key for key in list_keys(client) if key.id == key_id), None)
    if found is None:
        raise UnknownKey(f"There is no key {key_id!r}", "`tally keys list` shows the ids.")
    if found.revoked_at is None:
        revoked = replace(found, revoked_at=now)
        _write(client, revoked, revision=1)
        return revoked
    return found


def record_use(client: Client, key: ApiKey, now: datetime) -> None:
    """Record that the key was used."""
    insert_rows(client, "api_key_uses", ("key_id", "last_used_at"), [(key.id, timestamp_text(now))])


def ensure_cursor_secret(client: Client, now: datetime) -> None:
    """Create the secret that seals cursors, unless there is one."""
    if not fetch(client, FOLDER / "cursor_secret.sql"):
        row = (secrets.token_hex(32), clickhouse_timestamp(now, "microseconds"))
        insert_rows(client, "api_cursor_secrets", ("secret", "created_at"), [row])


def cursor_secret(client: Client) -> bytes:
    """Return the secret that seals cursors. Raises RefusedError before the first `tally migrate`."""
    found = fetch(client, FOLDER / "cursor_secret.sql")
    if not found:
        raise RefusedError("The database has no secret for cursors yet", "Run `tally migrate` to create it.")
    return bytes.fromhex(found[0]["secret"])


def secret_hash(text: str) -> str:
    """Return the hash that is stored in place of a secret."""
    return hashlib.sha256(text.encode()).hexdigest()


def _write(client: Client, key: ApiKey, revision: int) -> None:
    moments = (timestamp_text(key.created_at), timestamp_text(key.expires_at), timestamp_text(key.revoked_at))
    row = (key.secret_sha256, key.id, key.organization_id, key.name, list(key.scopes), *moments, revision)
    insert_rows(client, "api_keys", COLUMNS, [row])


def _key(row: Row) -> ApiKey:
    return ApiKey(
        row["key_id"],
        row["organization_id"],
        row["name"],
        list(row["scopes"]),
        datetime.fromtimestamp(row["created_ms"] / 1000, UTC),
        _moment(row["expires_ms"]),
        _moment(row["revoked_ms"]),
        _moment(row["used_ms"]),
        row["secret_sha256"],
    )


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def timestamp_text(moment: datetime | None) -> str | None:
    """Return a moment as the text of a DateTime64(3, 'UTC') column, None for NULL."""
    return clickhouse_timestamp(moment, "milliseconds") if moment else None
