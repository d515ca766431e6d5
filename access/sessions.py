"""Credentials for people: one-time links, and the sessions that browsers hold. Only the hash of a secret is stored.

A credential identifies a person. Their permissions are read from the directory on every request (`roles`).
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import uuid4

from clickhouse_connect.driver.client import Client

from access.keys import secret_hash, timestamp_text
from queries.sql_files import Row, fetch
from sinks.client import insert_rows
from tally_client.events.envelope import NIL

FOLDER = Path(__file__).parent
FORM = re.compile(r"[A-Za-z0-9_-]{43}")
COLUMNS = (
    "secret_sha256",
    "kind",
    "organization_id",
    "account_id",
    "operator",
    "created_at",
    "expires_at",
    "ended_at",
    "revision",
)

Kind = Literal["link", "session"]


@dataclass(frozen=True)
class Identity:
    """The holder of a credential: a person in an organization, or an operator of the installation, by name."""

    organization_id: str = NIL
    account_id: str = NIL
    operator: str = ""

    @property
    def name(self) -> str:
        """The holder's name in the audit log; empty if unknown."""
        if self.operator:
            return f"operator {self.operator}"
        return f"person {self.account_id}" if self.account_id != NIL else ""


@dataclass(frozen=True)
class Credential:
    """A link or session, without its secret. Moments are UTC."""

    secret_sha256: str
    kind: Kind
    holder: Identity
    created_at: datetime
    expires_at: datetime


def create_credential(client: Client, kind: Kind, holder: Identity, now: datetime, expires_at: datetime) -> str:
    """Create a link or session for the holder. Returns its secret, which cannot be read again later."""
    secret = secrets.token_urlsafe(32)
    _write(client, [Credential(secret_hash(secret), kind, holder, now, expires_at)])
    return secret


def find_credential(client: Client, kind: Kind, secret: str, now: datetime) -> Credential | None:
    """Return the link or session with this secret if it is valid at `now`. A link may have been used already."""
    if not FORM.fullmatch(secret):
        return None
    found = fetch(client, FOLDER / "find_credential.sql", {"secret_sha256": secret_hash(secret), "kind": kind})
    known = _pass(found[0]) if found else None
    return known if known and known.expires_at > now else None


def unused_link(client: Client, secret: str, now: datetime) -> Identity | None:
    """Return the identity behind a link that is valid and unused, without using it; None otherwise."""
    link = find_credential(client, "link", secret, now)
    if link is None:
        return None
    (counted,) = fetch(client, FOLDER / "link_uses.sql", {"secret_sha256": link.secret_sha256})
    return None if counted["uses"] else link.holder


def redeem_link(client: Client, secret: str, now: datetime) -> Identity | None:
    """Use a link: return its identity on first use; None if it is unknown, expired or used.

    Each use is written and confirmed before uses are counted, so of two concurrent uses at most one succeeds, and
    possibly neither.
    """
    link = find_credential(client, "link", secret, now)
    if link is None:
        return None
    row = (link.secret_sha256, str(uuid4()), timestamp_text(now))
    insert_rows(client, "link_uses", ("secret_sha256", "use_id", "used_at"), [row])
    (counted,) = fetch(client, FOLDER / "link_uses.sql", {"secret_sha256": link.secret_sha256})
    return link.holder if counted["uses"] == 1 else None


def use_token(client: Client, token: str, now: datetime) -> bool:
    """Record that a token (by its digest) becomes a session. Returns True on its first use; of two concurrent uses at
    most one is the first, and possibly neither, as with links."""
    row = (token, str(uuid4()), timestamp_text(now))
    insert_rows(client, "token_uses", ("token_sha256", "use_id", "used_at"), [row])
    (counted,) = fetch(client, FOLDER / "token_uses.sql", {"token_sha256": token})
    return bool(counted["uses"] == 1)


def signed_out_at(client: Client, holder: Identity) -> datetime | None:
    """Return when `tally sign-out` last ended access for a person or their whole organization; None for never."""
    parameters = {"organization_id": holder.organization_id, "account_id": holder.account_id}
    (found,) = fetch(client, FOLDER / "signed_out_at.sql", parameters)
    return datetime.fromtimestamp(found["ended_ms"] / 1000, UTC) if found["ended_ms"] else None


def end_session(client: Client, secret: str, now: datetime) -> Identity | None:
    """End the session with this secret immediately. Returns its identity, or None if it was no longer valid."""
    session = find_credential(client, "session", secret, now)
    if session is None:
        return None
    _write(client, [session], ended_at=now)
    return session.holder


def revoke_credentials(client: Client, whose: Identity, now: datetime) -> int:
    """End all links and sessions of a person, an operator, or (without an account) an organization; return how many.

    Tokens issued before `now` are rejected from now on. That is written first, so that none becomes a session here.
    """
    row = (whose.organization_id, whose.account_id, whose.operator, timestamp_text(now))
    insert_rows(client, "sign_outs", ("organization_id", "account_id", "operator", "ended_at"), [row])
    parameters = {
        "organization_id": whose.organization_id,
        "account_id": whose.account_id,
        "everybody": whose.account_id == NIL,
        "operator": whose.operator,
        "now_ms": int(now.timestamp() * 1000),
    }
    found = [_pass(row) for row in fetch(client, FOLDER / "open_credentials.sql", parameters)]
    _write(client, found, ended_at=now)
    return len(found)


def _pass(row: Row) -> Credential:
    holder = Identity(row["organization_id"], row["account_id"], row["operator"])
    created, expires = (datetime.fromtimestamp(row[name] / 1000, UTC) for name in ("created_ms", "expires_ms"))
    return Credential(row["secret_sha256"], row["kind"], holder, created, expires)


def _write(client: Client, made: Sequence[Credential], ended_at: datetime | None = None) -> None:
    rows = []
    for one in made:
        moments = (timestamp_text(one.created_at), timestamp_text(one.expires_at), timestamp_text(ended_at))
        whose = (one.holder.organization_id, one.holder.account_id, one.holder.operator)
        rows.append((one.secret_sha256, one.kind, *whose, *moments, int(ended_at is not None)))
    insert_rows(client, "credentials", COLUMNS, rows)
