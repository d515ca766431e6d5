"""The directory's history and people's profiles: whole rows, no counters.

A row is keyed by its own place in the log, so writing it again writes the same row. It contains the log's time, by
which rows of several partitions are compared.
"""

import msgspec

from aggregators.connectors import connector_key, name_key
from aggregators.increments import Folded, Row
from aggregators.validity import IdInterner, history_moment
from aggregators.windows import log_time_text, moment_text
from tally_client.events import DirectoryEvent, ProfileUpdated
from tally_client.events.directory import ConnectorSaved, PluginSaved, PolicyEvent, ProjectSaved, SkillSaved
from tally_client.events.envelope import NIL
from tally_client.validity import policy_hour

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
"""The field that a row is looked up by: the first of these that the event has (for a membership, its group)."""

IDS = (*SUBJECTS[:-1], "created_by", "workspace_id", "plugin_id")


def _subject(event: DirectoryEvent) -> str:
    # `name` identifies all spellings of a connector, skill or plugin. For an organization it is a property, and there
    # is no subject.
    if event.__struct_config__.tag == "organization.created":
        return ""
    if isinstance(event, ConnectorSaved):
        return connector_key(event.name)
    if isinstance(event, SkillSaved | PluginSaved):
        return name_key(event.name)
    return next((str(getattr(event, field)) for field in SUBJECTS if hasattr(event, field)), "")


class DirectoryFold:
    """Folds `tally.directory`."""

    def __init__(self, ids: IdInterner) -> None:
        self._ids = ids

    def __call__(self, event: DirectoryEvent, log_ms: int) -> Folded:
        """Return the event's row without its source and offset, which the source adds. Raises InvalidRecord."""
        at = history_moment(event.occurred_at, log_ms, "occurred_at")
        in_force_from = policy_hour(event.effective_from) if isinstance(event, PolicyEvent) else at
        if isinstance(event, ProjectSaved):
            history_moment(event.created_at, log_ms, "created_at")
        self._ids.check(event.organization_id, "organization_id")
        for field in IDS:
            value = getattr(event, field, None)
            if value is not None:
                self._ids.check(value, field)
        values = (
            event.organization_id,
            str(event.__struct_config__.tag),
            moment_text(in_force_from),
            _subject(event),
            msgspec.json.encode(event).decode(),
            event.event_id,
            moment_text(at),
            log_time_text(log_ms),
        )
        return (), (Row("directory", values),)


class ProfileFold:
    """Folds `tally.profiles`."""

    def __init__(self, ids: IdInterner) -> None:
        self._ids = ids

    def __call__(self, event: ProfileUpdated, log_ms: int) -> Folded:
        """Return the row of what the organization reported about the person. Raises InvalidRecord."""
        at = history_moment(event.occurred_at, log_ms, "occurred_at")
        values = (
            self._ids.check(event.organization_id, "organization_id"),
            self._ids.check(event.account_id, "account_id"),
            *(event.email, event.name, 0),
            *(event.event_id, moment_text(at), log_time_text(log_ms)),
        )
        return (), (Row("profiles", values),)

    def forget(self, key: bytes | None, log_ms: int) -> Folded:
        """Return the row of a tombstone, which belongs to no organization and has the log's time.

        Raises InvalidRecord if the record's key is not an account's id.
        """
        account = self._ids.check((key or b"").decode("ascii", "replace"), "record key")
        logged_at = log_time_text(log_ms)
        return (), (Row("profiles", (NIL, account, "", "", 1, "", logged_at, logged_at)),)
