"""The public keys of identity providers (JWKS, RFC 7517): fetched, kept for a while, and again when one is missing."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec
import urllib3
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from api.errors import Unavailable

logger = logging.getLogger("tally.api")

KEPT_SECONDS = 600.0
"""How long keys are used before they are fetched again."""
LAST_SECONDS = 3600.0
"""How long they are used while they cannot be fetched again: a provider takes keys back by leaving them out."""
AGAIN_SECONDS = 30.0
"""How soon after a fetch a missing key is a reason for the next: anybody can name one."""
LARGEST = 256 << 10
TIMEOUT = urllib3.Timeout(connect=3, read=5)
KEY_TYPES = ("RSA", "EC", "OKP")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class BadKeys(Exception):
    """These are no public keys to use; `str()` says why."""


def require_safe(url: str) -> None:
    """Raises BadKeys unless the URL is https, or http on this machine: whoever changes keys on their way is anybody."""
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.password or parts.fragment:
        raise BadKeys(f"{url!r} is no plain URL")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise BadKeys(f"{url!r} is neither https nor http on this machine")


def fetch(url: str) -> str:
    """What stands at the URL; a redirect is not followed, since it would lead where nobody looked. Raises BadKeys."""
    require_safe(url)
    try:
        with urllib3.PoolManager(num_pools=1) as pool:
            headers = {"accept": "application/json"}
            answer = pool.request(
                "GET", url, headers=headers, timeout=TIMEOUT, retries=False, redirect=False, preload_content=False
            )
            body = answer.read(LARGEST + 1)
            answer.release_conn()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise BadKeys(f"{url} cannot be fetched: {type(error).__name__}") from error
    if answer.status != 200 or len(body) > LARGEST:
        raise BadKeys(f"{url} answered {answer.status} with {len(body)} bytes")
    return bytes(body).decode("utf-8", "replace")


class _Jwks(msgspec.Struct):
    keys: list[dict[str, Any]]


def usable_keys(document: str) -> list[dict[str, Any]]:
    """The public signature keys of a JWKS that have an id; what is none, or secret, is left out. Raises BadKeys."""
    try:
        return [key for key in msgspec.json.decode(document, type=_Jwks).keys if _is_usable(key)]
    except msgspec.DecodeError:
        raise BadKeys("It is no JWKS: a JSON object with a list of keys") from None


def read_keys(document: str) -> dict[str, PyJWK]:
    """Those keys by id, ready to check signatures. Raises BadKeys when there is none."""
    found: dict[str, PyJWK] = {}
    for key in usable_keys(document):
        with suppress(PyJWTError):
            found[key["kid"]] = PyJWK(key)
    if not found:
        raise BadKeys("It holds no public signature key (RSA, EC, OKP) with an id (kid)")
    return found


def _is_usable(key: Mapping[str, Any]) -> bool:
    is_public = key.get("kty") in KEY_TYPES and "d" not in key
    return is_public and key.get("use") in (None, "sig") and isinstance(key.get("kid"), str)


@dataclass
class KeyRing:
    """The keys at one URL. Of many threads that miss one, one fetches; the others go on with what there is."""

    url: str
    clock: Callable[[], float] = time.monotonic
    _keys: Mapping[str, PyJWK] = field(default_factory=dict)
    _fetched_at: float = float("-inf")
    _tried_at: float = float("-inf")
    _fetching: threading.Lock = field(default_factory=threading.Lock)

    def find(self, kid: str) -> PyJWK | None:
        """The key of this id. Raises Unavailable while there are no keys that still hold."""
        missing = kid not in self._keys or self._age(self._fetched_at) >= KEPT_SECONDS
        if missing and self._fetching.acquire(blocking=not self._keys):
            try:
                self._refresh()
            finally:
                self._fetching.release()
        if self._age(self._fetched_at) >= LAST_SECONDS:
            raise Unavailable("The keys of the identity provider cannot be fetched. Try again later.", 30)
        return self._keys.get(kid)

    def _refresh(self) -> None:
        if self._age(self._tried_at) < AGAIN_SECONDS:
            return
        self._tried_at = self.clock()
        try:
            self._keys, self._fetched_at = read_keys(fetch(self.url)), self.clock()
        except BadKeys as error:
            logger.warning("no keys of an identity provider: %s", error)

    def _age(self, moment: float) -> float:
        return self.clock() - moment
