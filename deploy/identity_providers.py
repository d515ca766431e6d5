"""`tally identity`, wired: settings in, identity providers in ClickHouse out."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import orjson

from access.audit_log import IDENTITY
from access.identity_providers import Provider, find_providers, remove_provider, save_provider
from access.jwks import InvalidJwks, fetch, read_keys, usable_keys
from deploy.audit import record_action
from deploy.connections import report_client
from deploy.errors import ExitCode, UserError
from deploy.settings import Settings
from deploy.uuids import parse_uuid
from queries.organizations import require_known


def save(settings: Settings, provider: Provider) -> tuple[Provider, Sequence[str]]:
    """Store the provider, whose `jwks` is a URL or the path of a file; return it with the ids of its current keys.

    The public keys of a file are stored, so that the API does not need the file. Raises UserError, RefusedError.
    """
    organization = parse_uuid(provider.organization_id)
    try:
        is_url = "://" in provider.jwks
        document = asyncio.run(fetch(provider.jwks)) if is_url else Path(provider.jwks).read_text(encoding="utf-8")
        keys = read_keys(document)
    except (InvalidJwks, UnicodeDecodeError) as error:
        message = f"{provider.jwks} has no usable keys: {error}"
        raise UserError(message, "Use the provider's jwks_uri, or a file of public keys.", ExitCode.REFUSED) from error
    jwks = provider.jwks if is_url else orjson.dumps({"keys": usable_keys(document)}).decode()
    kept = replace(provider, organization_id=organization, jwks=jwks)
    now = settings.clock()
    with closing(report_client(settings)) as client:
        require_known(client, organization)
        save_provider(client, kept, now)
        record_action(client, now, IDENTITY, organization, asdict(kept))
    return kept, sorted(keys)


def providers(settings: Settings, organization: str) -> Sequence[Provider]:
    """Return all providers, or the organization's."""
    organization = parse_uuid(organization) if organization else ""
    with closing(report_client(settings)) as client:
        return find_providers(client, organization)


def remove(settings: Settings, organization: str) -> Provider:
    """Stop accepting tokens for the organization. Raises RefusedError if it has no provider."""
    organization = parse_uuid(organization)
    now = settings.clock()
    with closing(report_client(settings)) as client:
        removed = remove_provider(client, organization, now)
        record_action(client, now, IDENTITY, organization, {"removed": removed.issuer})
    return removed
