"""`tally keys`, wired: settings in, keys in ClickHouse out."""

from contextlib import closing
from datetime import datetime
from uuid import UUID

from deploy.errors import UserError
from deploy.export import report_client
from deploy.settings import Settings
from reports.access.keys import Key, create_key, list_keys, revoke_key
from reports.errors import UnknownOrganization
from reports.terms import is_known


def create_for(
    settings: Settings, organization: str, name: str, now: datetime, expires_at: datetime
) -> tuple[Key, str]:
    """A new key of the organization, and its text. Raises UserError, UnknownOrganization."""
    organization = _uuid(organization)
    with closing(report_client(settings)) as client:
        if not is_known(client, organization):
            message = f"There is no organization {organization} in the directory or the usage"
            raise UnknownOrganization(message, "Check the id; its events may not have arrived yet.")
        return create_key(client, organization, name, now, expires_at)


def keys_of(settings: Settings, organization: str) -> list[Key]:
    """All keys, or the organization's."""
    with closing(report_client(settings)) as client:
        return list_keys(client, _uuid(organization) if organization else "")


def revoke(settings: Settings, key_id: str) -> Key:
    """End the key with this id. Raises UnknownKey."""
    with closing(report_client(settings)) as client:
        return revoke_key(client, key_id, settings.clock())


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        message = f"organization is {text!r}, which is not a UUID"
        raise UserError(message, "Use the id as the events carry it.") from None
