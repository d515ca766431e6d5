"""Identity providers: the issuers of tokens for an organization's people, at most one per organization."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client

from queries.errors import RefusedError
from queries.sql_files import fetch
from sinks.client import insert_rows
from sinks.datetimes import clickhouse_timestamp

FOLDER = Path(__file__).parent
EMAIL = "email"
"""The claim that is looked up among the members' e-mail addresses; any other claim contains the account's UUID."""


class ProviderError(RefusedError):
    """The provider cannot be saved, because another organization has it, or removed, because there is none."""


@dataclass(frozen=True)
class Provider:
    """The tokens that an organization accepts: those that `issuer` signed for `audience` with a key of `jwks`.

    `jwks` is the URL of the public keys, or the keys themselves as JSON. `claim` names the account. `token_type` is the
    required header typ (if empty: JWT or absent), `authorized_party` the required claim azp (if empty: the audience).
    """

    organization_id: str
    issuer: str
    audience: str
    jwks: str
    claim: str
    token_type: str = ""
    authorized_party: str = ""


COLUMNS = (*(field.name for field in fields(Provider)), "removed", "saved_at")


def save_provider(client: Client, provider: Provider, now: datetime) -> None:
    """Save the organization's provider, replacing its old one. Raises ProviderError if tokens would be ambiguous."""
    for other in find_providers(client, issuer=provider.issuer):
        if other.audience == provider.audience and other.organization_id != provider.organization_id:
            message = f"Organization {other.organization_id} already accepts tokens of this issuer for this audience"
            raise ProviderError(message, "Use a different audience for each organization.")
    _write(client, provider, now, removed=False)


def remove_provider(client: Client, organization_id: str, now: datetime) -> Provider:
    """Stop accepting tokens for the organization. Raises ProviderError if it has no provider."""
    found = find_providers(client, organization_id)
    if not found:
        raise ProviderError(f"Organization {organization_id} has no identity provider")
    _write(client, found[0], now, removed=True)
    return found[0]


def find_providers(client: Client, organization_id: str = "", issuer: str = "") -> Sequence[Provider]:
    """Return the providers of one organization, those with one issuer, or all."""
    rows = fetch(client, FOLDER / "identity_providers.sql", {"organization_id": organization_id, "issuer": issuer})
    return [Provider(**row) for row in rows]


def _write(client: Client, provider: Provider, now: datetime, removed: bool) -> None:
    moment = clickhouse_timestamp(now, "microseconds")
    insert_rows(client, "identity_providers", COLUMNS, [(*astuple(provider), removed, moment)])
