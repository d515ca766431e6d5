"""The directory's history and people's profiles: whole rows, no counters.

A row is keyed by its own place in the log, so writing it again writes the same row.
"""

from datetime import datetime

import msgspec

from aggregators.changes import Folded, IdForms, Invalid, Row, not_ahead
from aggregators.windows import utc
from streams.events import DirectoryEvent, ProfileUpdated
from streams.events.directory import PolicyEvent

SUBJECTS = (
    "group_id",
    "account_id",
    "invite_id",
    "api_key_id",
    "service_account_id",
    "federated_identity_id",
    "project_id",
    "name",
)
"""The field that a row is found by: the first of these that the event has (a group's membership by its group)."""

IDS = (*SUBJECTS[:-1], "created_by", "workspace_id", "plugin_id")

FIRST_YEAR = 1970
"""DateTime64 begins here (ClickHouse's own limit is 1900, but no organization is that old)."""


def _policy_hour(moment: datetime) -> datetime:
    try:
        at = utc(moment)
    except OverflowError:
        raise Invalid("out_of_calendar", f"effective_from {moment.isoformat()} has no UTC form") from None
    if at.minute or at.second or at.microsecond:
        detail = f"effective_from {moment.isoformat()} is not a whole UTC hour, and an hour has one price"
        raise Invalid("not_a_whole_hour", detail)
    if not FIRST_YEAR <= at.year < 2200:
        raise Invalid("out_of_calendar", f"effective_from {moment.isoformat()} is not between 1970 and 2200")
    return at


def _subject(event: DirectoryEvent) -> str:
    # `name` names skills, plugins and connectors; for an organization it is a property and there is no subject.
    if event.__struct_config__.tag == "organization.created":
        return ""
    return next((str(getattr(event, field)) for field in SUBJECTS if hasattr(event, field)), "")


class DirectoryFold:
    """Folds `tally.directory`."""

    def __init__(self, ids: IdForms) -> None:
        self._ids = ids

    def __call__(self, event: DirectoryEvent, log_ms: int) -> Folded:
        """The event's row, without its source and offset, which the source adds. Raises Invalid."""
        at, _ = not_ahead(event.occurred_at, log_ms, "occurred_at")
        if at.year < FIRST_YEAR:
            raise Invalid("too_old", f"occurred_at {event.occurred_at.isoformat()} is before {FIRST_YEAR}")
        in_force_from = _policy_hour(event.effective_from) if isinstance(event, PolicyEvent) else at
        self._ids.check(event.organization_id, "organization_id")
        for field in IDS:
            value = getattr(event, field, None)
            if value is not None:
                self._ids.check(value, field)
        values = (
            event.organization_id,
            str(event.__struct_config__.tag),
            in_force_from.strftime("%Y-%m-%d %H:%M:%S.%f"),
            _subject(event),
            msgspec.json.encode(event).decode(),
        )
        return (), (Row("directory", values),)


class ProfileFold:
    """Folds `tally.profiles`."""

    def __init__(self, ids: IdForms) -> None:
        self._ids = ids

    def __call__(self, event: ProfileUpdated, log_ms: int) -> Folded:
        """The person's row. Raises Invalid."""
        not_ahead(event.occurred_at, log_ms, "occurred_at")
        self._ids.check(event.organization_id, "organization_id")
        return (), (Row("profiles", (self._ids.check(event.account_id, "account_id"), event.email, event.name, 0)),)

    def forget(self, key: bytes | None) -> Folded:
        """The row of a tombstone. Raises Invalid when the record's key is no account's id."""
        account = (key or b"").decode("ascii", "replace")
        return (), (Row("profiles", (self._ids.check(account, "record key"), "", "", 1)),)
