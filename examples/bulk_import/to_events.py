"""Turn another system's usage log (CSV) into events, as NDJSON for `tally emit`.

Every id is derived from the log itself (UUIDv5), so the same row always becomes the same bytes: import a file twice, or
a longer file that repeats older rows, and every row counts once.
"""

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

from tally_client import (
    Actor,
    Event,
    InvalidEvent,
    MemberJoined,
    OrganizationCreated,
    PlanChanged,
    ProfileUpdated,
    TokenUsed,
)
from tally_client.emitter import encode

NAMESPACE = UUID("c5a0e0f6-3a43-4f0b-9d55-5f1d1a3c7a10")
"""Of this import alone: choose your own once, and never change it, or every row counts again."""

Row = Mapping[str, str]


def id_for(kind: str, name: str) -> str:
    """The id of one thing of the other system: the same whenever it is asked for."""
    return str(uuid5(NAMESPACE, f"{kind}/{name}"))


def organization_events(organization_id: str, name: str, since: datetime) -> Iterator[Event]:
    """The organization, and a plan under which all of its usage is paid for by use."""
    yield OrganizationCreated(
        event_id=id_for("organization", name), occurred_at=since, organization_id=organization_id, name=name
    )
    yield PlanChanged(
        event_id=id_for("plan", name),
        occurred_at=since,
        organization_id=organization_id,
        effective_from=since,
        plan="enterprise_usage_based",
    )


def person_events(organization_id: str, email: str, since: datetime) -> Iterator[Event]:
    """A person's membership and profile."""
    account_id = id_for("account", email)
    yield MemberJoined(
        event_id=id_for("membership", email),
        occurred_at=since,
        organization_id=organization_id,
        account_id=account_id,
    )
    yield ProfileUpdated(
        event_id=id_for("profile", email),
        occurred_at=since,
        organization_id=organization_id,
        account_id=account_id,
        email=email,
        name=email.partition("@")[0].title(),
    )


def usage_event(organization_id: str, row: Row) -> Event:
    """One request. The log counts cached tokens among the prompt's; Tally's classes of tokens exclude each other."""
    cached = int(row["cached_tokens"])
    return TokenUsed(
        event_id=id_for("request", row["request_id"]),
        occurred_at=datetime.fromisoformat(row["finished_at"]).astimezone(UTC),
        organization_id=organization_id,
        actor=Actor(type="user", id=id_for("account", row["user"])),
        product="messages_api",
        funding="usage_based",
        request_id=row["request_id"],
        model=row["model"],
        uncached_input_tokens=int(row["prompt_tokens"]) - cached,
        cache_read_input_tokens=cached,
        output_tokens=int(row["completion_tokens"]),
        web_search_requests=int(row["web_searches"]),
    )


def events(path: Path, organization_id: str, name: str, since: datetime) -> Iterator[bytes]:
    """The file's events, checked and encoded, a row at a time. Raises ValueError that names the file and the line."""
    now, known = datetime.now(UTC), set[str]()
    yield from (encode(event, now) for event in organization_events(organization_id, name, since))
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        for row in rows:
            try:
                if row["user"] not in known:
                    known.add(row["user"])
                    yield from (encode(event, now) for event in person_events(organization_id, row["user"], since))
                yield encode(usage_event(organization_id, row), now)
            except (InvalidEvent, KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}:{rows.line_num}: {error}") from error


def main() -> None:
    """Write the events of the file that the command line names to standard output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the log, as CSV")
    parser.add_argument("--organization", required=True, help="UUID of the organization that used it")
    parser.add_argument("--name", required=True, help="the organization's name")
    parser.add_argument("--since", required=True, help="the day from which the organization and its people are known")
    given = parser.parse_args()
    since = datetime.fromisoformat(given.since).replace(tzinfo=UTC)
    try:
        for event in events(given.file, given.organization, given.name, since):
            sys.stdout.buffer.write(event + b"\n")
    except (OSError, ValueError) as error:
        sys.exit(f"to_events: {error}")


if __name__ == "__main__":
    main()
