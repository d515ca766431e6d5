"""Tokens of identity providers (JWT, RFC 7519), checked as RFC 8725 advises: whom does one vouch for?

The library checks signature, issuer and audience; times are checked here, by the installation's clock.
"""

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from clickhouse_connect.driver.client import Client
from jwt.exceptions import PyJWTError

from api.errors import NoKey
from api.key_rings import BadKeys, KeyRing, read_keys
from reports.access.passes import Holder
from reports.access.people import members_by_email
from reports.access.providers import EMAIL, Provider, find_providers

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric ones alone. With a shared secret, whoever can check a token could make one."""
OPTIONS: Any = {
    "require": ["exp", "iat", "iss", "aud"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "enforce_minimum_key_length": True,
}
LARGEST = 16 << 10
LEEWAY_SECONDS = 30
"""How far the clocks of provider and installation may be apart."""


def is_token(text: str) -> bool:
    """Whether a credential has a token's form, which no key has."""
    return text.count(".") == 2


class Tokens:
    """Checks tokens that live at most `longest`; keeps the providers' keys."""

    def __init__(self, longest: timedelta) -> None:
        self.longest = longest
        self._rings: dict[str, KeyRing] = {}
        self._making = threading.Lock()

    def holder(self, client: Client, token: str, now: datetime) -> Holder:
        """Whom a token vouches for, in which organization. Raises NoKey, or Unavailable while there are no keys."""
        header, claims = _unchecked(token)
        provider = _provider(client, claims)
        key = self._key(provider, header.get("kid"))
        try:
            checked = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=provider.audience,
                issuer=provider.issuer,
                options=OPTIONS,
            )
        except PyJWTError as error:
            raise NoKey(f"The token is not good: {type(error).__name__}.") from None
        self._check_times(checked, now.timestamp())
        return Holder(provider.organization_id, _account(client, provider, checked))

    def _key(self, provider: Provider, kid: object) -> jwt.PyJWK:
        if not isinstance(kid, str):
            raise NoKey("The token does not say which key signed it (kid).")
        if provider.jwks.startswith("{"):
            key = _kept(provider.jwks).get(kid)
        else:
            with self._making:
                ring = self._rings.setdefault(provider.jwks, KeyRing(provider.jwks))
            key = ring.find(kid)
        if key is None:
            raise NoKey("The identity provider has no key of the token's id (kid).")
        return key

    def _check_times(self, claims: Mapping[str, Any], now: float) -> None:
        begins, ends = (_moment(claims, name) for name in ("iat", "exp"))
        if max(begins, _moment(claims, "nbf", begins)) > now + LEEWAY_SECONDS:
            raise NoKey("The token is not good yet. Are the clocks right?")
        if ends <= now - LEEWAY_SECONDS:
            raise NoKey("The token has expired. Ask your identity provider for a new one.")
        if ends - begins > self.longest.total_seconds():
            minutes = self.longest.total_seconds() / 60
            raise NoKey(f"The token lives too long: longer than {minutes:g} minutes (api_token_minutes).")


def _unchecked(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token that anybody may have made: only to find whose keys must have signed it."""
    if len(token) > LARGEST:
        raise NoKey("The token is too long.")
    try:
        parts = jwt.decode_complete(token, options={"verify_signature": False})
    except (PyJWTError, RecursionError):  # of JSON that is too deep
        raise NoKey("The token is none: it cannot be read.") from None
    return parts["header"], parts["payload"]


def _provider(client: Client, claims: Mapping[str, Any]) -> Provider:
    issuer, audience = claims.get("iss"), claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    known = find_providers(client, issuer=issuer) if isinstance(issuer, str) and issuer else ()
    found = [provider for provider in known if provider.audience in audiences]
    if len(found) != 1:
        count = "Several organizations accept" if found else "No organization accepts"
        raise NoKey(f"{count} tokens of this issuer for this audience. `tally identity show` lists them.")
    return found[0]


def _kept(document: str) -> Mapping[str, jwt.PyJWK]:
    try:
        return read_keys(document)
    except BadKeys:
        return {}


def _moment(claims: Mapping[str, Any], name: str, without: float | None = None) -> float:
    value = claims.get(name, without)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise NoKey(f"The token's claim {name} is no moment.")
    return float(value)


def _account(client: Client, provider: Provider, claims: Mapping[str, Any]) -> str:
    """The account that the token names. An e-mail counts only when the provider says that it is verified: many let
    people type any. Raises NoKey."""
    value = claims.get(provider.claim)
    if provider.claim == EMAIL:
        if claims.get("email_verified") is not True:
            raise NoKey("The identity provider does not say that the e-mail is verified (email_verified).")
        found = members_by_email(client, provider.organization_id, value) if isinstance(value, str) else []
        if len(found) != 1:
            raise NoKey("The token's e-mail is not that of exactly one member of the organization.")
        return found[0]
    try:
        return str(UUID(value))
    except (ValueError, TypeError, AttributeError):
        raise NoKey(f"The token's claim {provider.claim} is no account's UUID.") from None
