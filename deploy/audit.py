"""Audit log entries of the `tally` command, and reading the log."""

import getpass
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client

from access.audit_chain import Chain, verify_chain
from access.audit_log import AUDIT, DONE, EXPORT, MONEY, AuditEntry, read_entries, write_entry
from deploy.connections import connect_clickhouse
from deploy.settings import Settings
from deploy.uuids import parse_uuid
from tally_client.events.envelope import NIL


def note_export(client: Client, now: datetime, manifest: Mapping[str, Any]) -> None:
    """Record that the operating system's user exports a spend report with this manifest."""
    asked = {name: manifest[name] for name in ("period", "provisional", "format", "file")}
    entry = AuditEntry(
        now,
        _user(),
        EXPORT,
        DONE,
        manifest["organization_uuid"],
        route="tally export",
        filter=orjson.dumps(asked).decode(),
        rows=manifest["rows"],
        sha256=manifest["sha256"],
    )
    write_entry(client, entry)


def record_action(client: Client, now: datetime, action: str, organization_id: str, facts: Mapping[str, Any]) -> None:
    """Record that the operating system's user changes access: a link, a key, a provider, a sign-out of other people."""
    told = orjson.dumps(facts).decode()
    write_entry(client, AuditEntry(now, _user(), action, DONE, organization_id, route="tally", filter=told))


def note_money(client: Client, now: datetime, facts: Mapping[str, Any]) -> None:
    """Record that the operating system's user changes the basis of spend: a price list, an epoch, an accepted loss."""
    record_action(client, now, MONEY, NIL, facts)


def look_at_chain(settings: Settings, head: str) -> Chain:
    """Verify that the log is as it was written."""
    with closing(connect_clickhouse(settings)) as client:
        return verify_chain(client, head)


def entries(settings: Settings, organization: str, since: datetime, limit: int) -> list[AuditEntry]:
    """Return the newest `limit` entries (0: all) from `since` on, of one organization or, with "", of all.

    Reading them is recorded as an entry too, which this result does not contain.
    """
    of = parse_uuid(organization) if organization else ""
    with closing(connect_clickhouse(settings)) as client:
        found = read_entries(client, of, since, limit)
        record_action(client, settings.clock(), AUDIT, of or NIL, {"since": since.isoformat(), "entries": len(found)})
        return found


def _user() -> str:
    try:
        return f"system user {getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return "system user"
