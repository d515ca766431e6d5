"""The audit log: who signed in and out, read spend and exported it. Entries are added, never changed or taken away."""

from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client

from reports.queries import ask
from sinks.clickhouse import insert_rows
from streams.events.envelope import NIL

FOLDER = Path(__file__).parent
ENTIRE = 2**63 - 1
"""More entries than there are."""

SIGN_IN, SIGN_OUT, READ, EXPORT = "sign-in", "sign-out", "read of spend", "export"
LINK, IDENTITY, KEY = "link", "identity", "key"
DONE, BEGUN = "done", "begun"


@dataclass(frozen=True)
class Entry:
    """What somebody did. `who` is "key ID", "person UUID", "operator NAME" or "system user NAME", never a secret, and
    empty for nobody known; the organization is all zeros where none is known.

    `filter` holds the parameters as given, as JSON. `rows` and `sha256` are of the body or file that was given out.
    `outcome` is "done", "begun" (a body that is given out bit by bit; its end is an entry of its own), or "refused: "
    and why.
    """

    moment: datetime
    who: str
    action: str
    outcome: str
    organization_id: str = NIL
    route: str = ""
    filter: str = ""
    rows: int | None = None
    sha256: str = ""
    request_id: str = ""
    address: str = ""


COLUMNS = tuple(field.name for field in fields(Entry))


def write_entry(client: Client, entry: Entry) -> None:
    """Returns when ClickHouse has confirmed the entry; what it tells of must not be given out before."""
    moment = entry.moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    insert_rows(client, "audit_log", COLUMNS, [(moment, *astuple(entry)[1:])])


def read_entries(client: Client, organization_id: str, since: datetime, limit: int) -> list[Entry]:
    """The newest `limit` entries from `since` on, oldest first; of all organizations and of none, with ""."""
    since_us = int(since.timestamp()) * 1_000_000
    parameters = {"organization_id": organization_id, "since_us": since_us, "limit": limit or ENTIRE}
    return [
        Entry(moment=datetime.fromtimestamp(row.pop("moment_us") / 1_000_000, UTC), **row)
        for row in reversed(ask(client, FOLDER / "audit_entries.sql", parameters))
    ]
