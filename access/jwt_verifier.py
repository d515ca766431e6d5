"""Verification of identity providers' tokens (JWT, RFC 7519), following RFC 8725.

The library checks signature, issuer and audience; this module checks times, by the installation's clock.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

import jwt
from clickhouse_connect.driver.client import Client
from jwt.exceptions import MissingRequiredClaimError, PyJWTError

from access.errors import InvalidToken, Unproven
from access.identity_providers import EMAIL, Provider, find_providers
from access.jwks import PATIENCE_SECONDS, InvalidJwks, JwksCache, read_keys
from access.keys import secret_hash
from access.roles import members_by_email
from access.sessions import Identity, signed_out_at
from tally_client.validity import bare

T = TypeVar("T")


class Run(Protocol):
    """Runs a function that queries ClickHouse, in a thread (`Context.run`)."""

    def __call__(self, work: Callable[[Client], T]) -> Awaitable[T]:
        """Return the result of `work`."""


ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric algorithms only. With a shared secret, every verifier could forge tokens."""
OPTIONS: Any = {
    "require": ["exp", "iat", "iss", "aud"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "enforce_minimum_key_length": True,
}
LARGEST = 16 << 10
LEEWAY_SECONDS = 30
"""Allowed difference between the clocks of the provider and of the installation."""


def is_token(text: str) -> bool:
    """Return True if a credential has the form of a token. No API key has that form."""
    return text.count(".") == 2


@dataclass(frozen=True)
class Vouched:
    """The identity that a token proves, and since when: `proven` is when the person signed in at the provider, or when
    the token was issued. `use` is unique to the token, which can become a session once."""

    holder: Identity
    proven: datetime
    use: str


@dataclass
class JwtVerifier:
    """Verifies tokens with a lifetime of at most `longest`, and caches the providers' keys, for which no request waits
    longer than `patience_seconds`.

    Every error before the signature is verified has the same message and is raised `told_after_seconds` after the call:
    anyone can make such a token, and either difference would reveal which providers are known.
    """

    longest: timedelta
    patience_seconds: float = PATIENCE_SECONDS
    told_after_seconds: float = PATIENCE_SECONDS
    _rings: dict[str, JwksCache] = field(default_factory=dict)

    async def verify(self, run: Run, token: str, now: datetime) -> Vouched:
        """Return the identity that a token proves. `run` runs what queries ClickHouse. Raises InvalidToken."""
        loop = asyncio.get_running_loop()
        told_at = loop.time() + self.told_after_seconds
        try:
            return await self._vouched(run, token, now)
        except Unproven:
            await asyncio.sleep(told_at - loop.time())
            raise

    async def _vouched(self, run: Run, token: str, now: datetime) -> Vouched:
        header, claims = _unchecked(token)
        provider = await run(lambda client: _provider(client, claims))
        key = await self._key(provider, header["kid"])
        if key is None or not _is_typed(header, provider):
            raise Unproven
        return await run(lambda client: self._checked(client, provider, key, token, now))

    async def _key(self, provider: Provider, kid: str) -> jwt.PyJWK | None:
        if provider.jwks.startswith("{"):
            return _kept(provider.jwks).get(kid)
        return await self._rings.setdefault(provider.jwks, JwksCache(provider.jwks, self.patience_seconds)).find(kid)

    def _checked(self, client: Client, provider: Provider, key: jwt.PyJWK, token: str, now: datetime) -> Vouched:
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=provider.audience,
                issuer=provider.issuer,
                options=OPTIONS,
            )
        except MissingRequiredClaimError as error:
            raise InvalidToken(f"The token lacks the claim {error.claim}.") from None
        except PyJWTError:
            raise Unproven from None
        self._check_times(claims, now.timestamp())
        if claims.get("azp") not in (None, provider.authorized_party or provider.audience):
            raise InvalidToken("The token was issued to another program (azp).")
        holder = Identity(provider.organization_id, _account(client, provider, claims))
        signed_in = min(_moment(claims, "iat"), _moment(claims, "auth_time", _moment(claims, "iat")))
        issued, proven = (datetime.fromtimestamp(at, UTC) for at in (claims["iat"], signed_in))
        ended = signed_out_at(client, holder)
        if ended is not None and issued <= ended:
            raise InvalidToken(
                "You were signed out after the token was issued. Get a new one from your identity provider."
            )
        return Vouched(holder, proven, _use(provider, claims, token))

    def _check_times(self, claims: Mapping[str, Any], now: float) -> None:
        begins, ends = (_moment(claims, name) for name in ("iat", "exp"))
        if max(begins, _moment(claims, "nbf", begins)) > now + LEEWAY_SECONDS:
            raise InvalidToken("The token is not valid yet. Check the clocks of provider and server.")
        if ends <= now - LEEWAY_SECONDS:
            raise InvalidToken("The token has expired. Get a new one from your identity provider.")
        if ends - begins > self.longest.total_seconds():
            minutes = self.longest.total_seconds() / 60
            raise InvalidToken(f"The token's lifetime is longer than {minutes:g} minutes (api_token_minutes).")


def _unchecked(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of an unverified token, used only to find the provider whose key must verify it."""
    if len(token) > LARGEST:
        raise InvalidToken("The token is too long.")
    try:
        parts = jwt.decode_complete(token, options={"verify_signature": False})
        header, claims = parts["header"], parts["payload"]
        json.dumps([header, claims], ensure_ascii=False).encode()  # raises ValueError for a lone surrogate
    except (PyJWTError, ValueError, RecursionError):  # RecursionError: JSON that is nested too deeply
        raise InvalidToken("The token is malformed: it cannot be decoded.") from None
    if header.get("alg") not in ALGORITHMS or not isinstance(header.get("kid"), str) or not parts["signature"]:
        raise Unproven
    return header, claims


def _provider(client: Client, claims: Mapping[str, Any]) -> Provider:
    issuer, audience = claims.get("iss"), claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    known = find_providers(client, issuer=issuer) if isinstance(issuer, str) and issuer else ()
    found = [provider for provider in known if provider.audience in audiences]
    if len(found) != 1:
        raise Unproven
    return found[0]


def _is_typed(header: Mapping[str, Any], provider: Provider) -> bool:
    """Return True if the token has the type that the organization accepts: a provider also signs tokens for other uses
    with the same keys (RFC 8725 section 3.11)."""
    said = header.get("typ")
    kind = said.lower().removeprefix("application/") if isinstance(said, str) else said
    return kind == provider.token_type.lower() if provider.token_type else kind in (None, "jwt")


def _use(provider: Provider, claims: Mapping[str, Any], token: str) -> str:
    """Return a hash that identifies the token however often it is sent: of its id, or else of its signed part."""
    own = claims.get("jti")
    told = f"jti {own}" if isinstance(own, str) and own else token.rpartition(".")[0]
    return secret_hash(f"{provider.issuer} {provider.audience} {told}")


def _kept(document: str) -> Mapping[str, jwt.PyJWK]:
    try:
        return read_keys(document)
    except InvalidJwks:
        return {}


def _moment(claims: Mapping[str, Any], name: str, without: float | None = None) -> float:
    value = claims.get(name, without)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise InvalidToken(f"The token's claim {name} is not a timestamp.")
    return float(value)


def _account(client: Client, provider: Provider, claims: Mapping[str, Any]) -> str:
    """Return the account that the token names. An e-mail counts only if the provider reports it as verified, since many
    providers let people enter any address. Raises InvalidToken."""
    value = claims.get(provider.claim)
    if provider.claim == EMAIL:
        if claims.get("email_verified") is not True:
            raise InvalidToken("The identity provider has not verified the e-mail address (email_verified).")
        found = members_by_email(client, provider.organization_id, value) if isinstance(value, str) else []
        if len(found) != 1:
            raise InvalidToken("The token's e-mail address does not belong to exactly one member of the organization.")
        return found[0]
    try:
        return bare(str(value))
    except (ValueError, TypeError, AttributeError):
        raise InvalidToken(f"The token's claim {provider.claim} is not an account's UUID.") from None
