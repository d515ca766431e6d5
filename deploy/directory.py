"""Changes of an organization's directory, wired: settings in, events in Kafka and an entry in the audit log out."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from clickhouse_connect.driver.client import Client

from access.audit_log import DIRECTORY, MONEY
from deploy.audit import record_action
from deploy.connections import report_client
from deploy.errors import ExitCode, UserError
from deploy.settings import Settings
from deploy.uuids import parse_uuid
from directory.changes import Wanted
from directory.present import (
    Directory,
    Summary,
    count_folded,
    list_organizations,
    names_of_organizations,
    read_directory,
)
from directory.texts import same_text
from queries.errors import UnknownOrganization
from queries.organizations import require_known
from sinks.datetimes import rfc3339
from tally_client.emitter import Emitter, encode
from tally_client.events import Event
from tally_client.events.directory import PolicyEvent
from tally_client.validity import is_uuid

POLL_SECONDS = 0.2
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Outcome:
    """The events that a command sent, and whether ClickHouse has them already."""

    organization_id: str
    events: Sequence[Event] = ()
    is_folded: bool = True

    @property
    def counts(self) -> dict[str, int]:
        """The number of events of each type."""
        return dict(Counter(str(event.__struct_config__.tag) for event in self.events))


def organizations(settings: Settings) -> list[Summary]:
    """Return every organization in the directory."""
    with closing(report_client(settings)) as client:
        return list_organizations(client, settings.clock())


def directory_of(settings: Settings, organization: str) -> Directory:
    """Return the directory of an organization by its UUID or name; with "", of the only one."""
    with selected(settings, organization) as (client, organization_id):
        return read_directory(client, organization_id)


@contextmanager
def selected(settings: Settings, organization: str) -> Iterator[tuple[Client, str]]:
    """Connect to ClickHouse and find an organization by its id or name; with "", the only one. Yields its id.

    Raises UserError for the nil id, and UnknownOrganization.
    """
    looks_like_id = len(organization) == 36 and organization.count("-") == 4
    organization = parse_uuid(organization) if looks_like_id else organization
    with closing(report_client(settings)) as client:
        yield client, _find_organization(client, organization)


def change(settings: Settings, organization: str, wanted: Wanted, wait: float, only_check: bool = False) -> Outcome:
    """Change an organization, found as by `selected`."""
    with selected(settings, organization) as (client, organization_id):
        return apply(settings, client, organization_id, wanted, wait, only_check)


def apply(
    settings: Settings, client: Client, organization_id: str, wanted: Wanted, wait: float, only_check: bool = False
) -> Outcome:
    """Send the events that `wanted` finds missing, and wait up to `wait` seconds until ClickHouse has all of them.

    The time of the change is now, or just after the newest entry of the directory if a clock ran ahead, so that this
    change is the last. Raises InvalidEvent before anything is sent, UndeliverableEvent, and what `wanted` raises.
    """
    before = read_directory(client, organization_id)
    at = max(settings.clock(), before.newest + INSTANT)
    events = wanted(before, at)
    for event in events:
        encode(event, settings.clock())
    outcome = Outcome(organization_id, events, is_folded=not events)
    if only_check or not events:
        return outcome
    action = MONEY if any(isinstance(event, PolicyEvent) for event in events) else DIRECTORY
    record_action(client, settings.clock(), action, organization_id, {"at": rfc3339(at), **outcome.counts})
    asyncio.run(_send(settings, events))
    return Outcome(organization_id, events, _wait(client, organization_id, at, len(events), wait))


def _find_organization(client: Client, organization: str) -> str:
    if is_uuid(organization):
        require_known(client, organization)
        return organization
    known = names_of_organizations(client)
    found = [each for each, name in known.items() if not organization or same_text(name) == same_text(organization)]
    if len(found) == 1:
        return found[0]
    if not known:
        raise UnknownOrganization("There is no organization yet", "Create one: `tally organizations create NAME`.")
    hint = "`tally organizations list` shows the ids."
    if organization and not found:
        raise UnknownOrganization(f"No organization is named {organization!r:.200}", hint)
    message = f"{len(found)} organizations are named {organization!r:.200}"
    if not organization:
        message, hint = f"There are {len(found)} organizations, and none is selected", f"Use --organization; {hint}"
    raise UserError(message, hint, ExitCode.REFUSED)


async def _send(settings: Settings, events: Sequence[Event]) -> None:
    async with Emitter(settings.kafka_bootstrap, clock=settings.clock, **settings.client_options()) as emitter:
        for event in events:
            await emitter.emit(event)


def _wait(client: Client, organization_id: str, at: datetime, events: int, seconds: float) -> bool:
    """Return True as soon as the events of this change are folded, False if that takes more than `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if count_folded(client, organization_id, at) >= events:
            return True
        time.sleep(POLL_SECONDS)
    return False
