"""The public keys of identity providers (JWKS, RFC 7517): fetched, cached, and fetched again when a key is missing."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from jwt import PyJWK
from jwt.exceptions import PyJWTError

logger = logging.getLogger("tally.api")

KEPT_SECONDS = 600.0
"""Age at which cached keys are fetched again."""
LAST_SECONDS = 3600.0
"""Age up to which cached keys are used while a fetch fails: a provider revokes a key by leaving it out."""
AGAIN_SECONDS = 30.0
"""Least time between two fetches for a missing key, since any client can send an unknown key id."""
LARGEST = 256 << 10
PIECE = 16 << 10
FETCH_SECONDS = 5.0
"""Time limit for a whole fetch, however slowly its bytes arrive."""
PATIENCE_SECONDS = 2.0
"""Time that a request waits for a fetch; the fetch continues after that."""
KEY_TYPES = ("RSA", "EC", "OKP")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class InvalidJwks(Exception):
    """The document has no usable public keys; `str()` is the reason."""


def require_safe(url: str) -> None:
    """Raise InvalidJwks unless the URL is https, or http on this machine: else keys could be replaced in transit."""
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.password or parts.fragment:
        raise InvalidJwks(f"{url!r} is not a plain URL")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise InvalidJwks(f"{url!r} is neither https nor http on this machine")


async def fetch(url: str, seconds: float = FETCH_SECONDS) -> str:
    """Return the body at the URL if all of it arrives in time. Redirects are not followed, since their target is not
    checked. Raises InvalidJwks."""
    require_safe(url)
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    try:
        async with (
            asyncio.timeout(seconds),
            aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.get(url, headers=headers, allow_redirects=False) as answer,
        ):
            body = bytearray()
            async for piece in answer.content.iter_chunked(PIECE):
                body += piece
                if len(body) > LARGEST:
                    break
    except (aiohttp.ClientError, OSError, ValueError) as error:  # a timeout is an OSError
        raise InvalidJwks(f"{url} cannot be fetched: {type(error).__name__}") from error
    if answer.status != 200 or len(body) > LARGEST:
        raise InvalidJwks(f"{url} returned {answer.status} with {len(body)} bytes")
    return body.decode("utf-8", "replace")


class _Jwks(msgspec.Struct):
    keys: list[dict[str, Any]]


def usable_keys(document: str) -> list[dict[str, Any]]:
    """Return the public signature keys with an id in a JWKS; other and secret keys are ignored. Raises InvalidJwks."""
    try:
        return [key for key in msgspec.json.decode(document, type=_Jwks).keys if _is_usable(key)]
    except msgspec.DecodeError:
        raise InvalidJwks("It is not a JWKS: a JSON object with a list of keys") from None


def read_keys(document: str) -> dict[str, PyJWK]:
    """Return the usable keys by id, ready to verify signatures. Raises InvalidJwks if there are none."""
    found: dict[str, PyJWK] = {}
    for key in usable_keys(document):
        with suppress(PyJWTError):
            found[key["kid"]] = PyJWK(key)
    if not found:
        raise InvalidJwks("It contains no public signature key (RSA, EC, OKP) with an id (kid)")
    return found


def _is_usable(key: Mapping[str, Any]) -> bool:
    is_public = key.get("kty") in KEY_TYPES and "d" not in key
    return is_public and key.get("use") in (None, "sig") and isinstance(key.get("kid"), str)


@dataclass
class JwksCache:
    """The keys at one URL. Of many requests that miss a key, only one starts a fetch, and no thread waits for it."""

    url: str
    patience_seconds: float = PATIENCE_SECONDS
    clock: Callable[[], float] = time.monotonic
    _keys: Mapping[str, PyJWK] = field(default_factory=dict)
    _fetched_at: float = float("-inf")
    _tried_at: float = float("-inf")
    _fetching: "asyncio.Task[None] | None" = None

    async def find(self, kid: str) -> PyJWK | None:
        """Return the key with this id, if it is among the keys that are still valid."""
        if kid not in self._keys or self._age(self._fetched_at) >= KEPT_SECONDS:
            await self._refreshed()
        return self._keys.get(kid) if self._age(self._fetched_at) < LAST_SECONDS else None

    async def _refreshed(self) -> None:
        """Fetch the keys again if it is time to. No caller waits longer than `patience_seconds`."""
        if self._fetching is None and self._age(self._tried_at) >= AGAIN_SECONDS:
            self._tried_at = self.clock()
            self._fetching = asyncio.create_task(self._fetch())
        if self._fetching is not None:
            await asyncio.wait({self._fetching}, timeout=self.patience_seconds)

    async def _fetch(self) -> None:
        try:
            self._keys, self._fetched_at = read_keys(await fetch(self.url)), self.clock()
        except InvalidJwks as error:
            logger.warning("cannot use the keys of an identity provider: %s", error)
        finally:
            self._fetching = None

    def _age(self, moment: float) -> float:
        return self.clock() - moment
