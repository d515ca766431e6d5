"""`tally keys`, wired: settings in, keys in ClickHouse out."""

from contextlib import closing
from datetime import datetime

from access.audit_log import KEY
from access.keys import READ_ACTIVITY, READ_ANALYTICS, ApiKey, create_key, list_keys, revoke_key
from deploy.audit import record_action
from deploy.connections import report_client
from deploy.settings import Settings
from deploy.uuids import parse_uuid
from queries.organizations import require_known


def create_for(
    settings: Settings, organization: str, name: str, now: datetime, expires_at: datetime, sees_spend: bool = True
) -> tuple[ApiKey, str]:
    """Return a new key of the organization, and its text. Raises UserError, UnknownOrganization."""
    scope = READ_ANALYTICS if sees_spend else READ_ACTIVITY
    organization = parse_uuid(organization)
    with closing(report_client(settings)) as client:
        require_known(client, organization)
        key, text = create_key(client, organization, name, now, expires_at, (scope,))
        record_action(client, now, KEY, organization, {"created": key.id, "name": name, "scope": scope})
        return key, text


def keys_of(settings: Settings, organization: str) -> list[ApiKey]:
    """Return all keys, or the organization's."""
    organization = parse_uuid(organization) if organization else ""
    with closing(report_client(settings)) as client:
        return list_keys(client, organization)


def revoke(settings: Settings, key_id: str) -> ApiKey:
    """Revoke the key with this id. Raises UnknownKey."""
    with closing(report_client(settings)) as client:
        key = revoke_key(client, key_id, settings.clock())
        record_action(client, settings.clock(), KEY, key.organization_id, {"revoked": key.id})
        return key
