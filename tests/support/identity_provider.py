"""An identity provider for tests: keys of several kinds, a real JWKS server on 127.0.0.1, and tokens, good and bad."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt import PyJWS
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.support.simulated_world import NOW

ISSUER, AUDIENCE = "https://issuer.example/", "tally"
KEYS: dict[str, tuple[Any, Any, str]] = {
    "rsa": (rsa.generate_private_key(65537, 2048), RSAAlgorithm, "RS256"),
    "ec": (ec.generate_private_key(ec.SECP256R1()), ECAlgorithm, "ES256"),
    "okp": (ed25519.Ed25519PrivateKey.generate(), OKPAlgorithm, "EdDSA"),
    "foreign": (rsa.generate_private_key(65537, 2048), RSAAlgorithm, "RS256"),
    "short": (rsa.generate_private_key(65537, 1024), RSAAlgorithm, "RS256"),
}
"""Private key, its kind, and the algorithm, by key id."""


def public(*kids: str) -> list[dict[str, Any]]:
    """The public keys, as a JWKS lists them."""
    return [json.loads(KEYS[kid][1].to_jwk(KEYS[kid][0].public_key())) | {"kid": kid} for kid in kids]


def token(kid: str = "rsa", header: dict[str, Any] | None = None, signed_by: str = "", **claims: Any) -> str:
    """A token that is good unless something else is said; a claim of None is left out."""
    now = int(NOW.timestamp())
    told = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 600, **claims}
    private, _, algorithm = KEYS[signed_by or kid]
    kept = {name: value for name, value in told.items() if value is not None}
    told_too = {name: value for name, value in {"kid": kid, **(header or {})}.items() if value is not None}
    return PyJWS().encode(json.dumps(kept).encode(), private, algorithm, headers=told_too)


def later(**ahead: float) -> int:
    return int((NOW + timedelta(**ahead)).timestamp())


@dataclass
class Provider:
    """The server of the public keys: what it answers with, and what it was asked."""

    url: str
    status: int = 200
    keys: list[dict[str, Any]] = field(default_factory=lambda: public("rsa", "ec", "okp", "short"))
    asked: list[str] = field(default_factory=list)


@contextmanager
def provider() -> Iterator[Provider]:
    """The server, on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.asked.append(self.path)
            self.send_response(running.status)
            if running.status == 302:
                self.send_header("location", f"{running.url}elsewhere")
            self.end_headers()
            self.wfile.write(json.dumps({"keys": running.keys, "more": 1}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running = Provider(f"http://127.0.0.1:{server.server_port}/")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield running
        server.shutdown()
