"""Identity providers: who vouches for an organization's people, one for each organization."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client

from queries.errors import RefusedError
from queries.sql_files import fetch
from sinks.client import insert_rows

FOLDER = Path(__file__).parent
EMAIL = "email"
"""The claim that is looked up among the members; any other holds the account's UUID."""


class ProviderError(RefusedError):
    """The provider cannot be kept: it is another organization's, or there is none to remove."""


@dataclass(frozen=True)
class Provider:
    """Which tokens an organization accepts: those that `issuer` signed for `audience`, with a key of `jwks` (the URL of
    the public keys, or the keys themselves as JSON). `claim` names the account. `token_type` is what the header typ
    must say (JWT or nothing without it), `authorized_party` what the claim azp does (the audience without it)."""

    organization_id: str
    issuer: str
    audience: str
    jwks: str
    claim: str
    token_type: str = ""
    authorized_party: str = ""


COLUMNS = (*(field.name for field in fields(Provider)), "removed", "saved_at")


def save_provider(client: Client, provider: Provider, now: datetime) -> None:
    """Keep it in place of what the organization had. Raises ProviderError if a token would not say whose it is."""
    for other in find_providers(client, issuer=provider.issuer):
        if other.audience == provider.audience and other.organization_id != provider.organization_id:
            message = f"Organization {other.organization_id} accepts tokens of this issuer for this audience already"
            raise ProviderError(message, "Each organization needs an audience of its own.")
    _write(client, provider, now, removed=False)


def remove_provider(client: Client, organization_id: str, now: datetime) -> Provider:
    """Accept no tokens for the organization any more. Raises ProviderError if it has none."""
    found = find_providers(client, organization_id)
    if not found:
        raise ProviderError(f"Organization {organization_id} has no identity provider")
    _write(client, found[0], now, removed=True)
    return found[0]


def find_providers(client: Client, organization_id: str = "", issuer: str = "") -> Sequence[Provider]:
    """Those of one organization or with one issuer, or all."""
    rows = fetch(client, FOLDER / "identity_providers.sql", {"organization_id": organization_id, "issuer": issuer})
    return [Provider(**row) for row in rows]


def _write(client: Client, provider: Provider, now: datetime, removed: bool) -> None:
    moment = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    insert_rows(client, "identity_providers", COLUMNS, [(*astuple(provider), removed, moment)])
