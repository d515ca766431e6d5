"""Tokens of identity providers: whom they let in, and everything that makes one no token of ours."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from reports.access.providers import Provider as Kept
from reports.access.providers import ProviderError, remove_provider, save_provider
from tests.api import provider as idp
from tests.api.people import somebody
from tests.api.provider import AUDIENCE, ISSUER, KEYS, later, public, token
from tests.api.server import PREFIX, Served, context_of, serve
from tests.api.world import NOW, World

PATH = f"{PREFIX}/summaries?starting_date=2026-11-18"
OWNER, ADMIN = somebody("enterprise_seat_based", "owner"), somebody("enterprise_seat_based", "admin")
TEAM, OTHER = somebody("team", "owner"), somebody("enterprise_usage_based", "owner")
BY_UUID = {"account": OWNER.account}


@pytest.fixture(scope="module")
def issuer() -> Iterator[idp.Provider]:
    with idp.provider() as running:
        yield running


@pytest.fixture(scope="module")
def trusting(world: World, issuer: idp.Provider) -> Iterator[Served]:
    """The API, with a provider for two organizations: one names accounts by UUID, the other by e-mail."""
    client = world.client()
    save_provider(client, Kept(OWNER.organization, ISSUER, AUDIENCE, issuer.url, "account"), NOW)
    kept_here = json.dumps({"keys": public("rsa")})
    save_provider(client, Kept(TEAM.organization, ISSUER, "team", kept_here, "email"), NOW)
    client.close()
    with serve(context_of(world)) as running:
        yield running


def asked(served: Served, text: str) -> httpx.Response:
    return httpx.get(served.base_url + PATH, headers={"authorization": f"Bearer {text}".encode()}, timeout=30)


@pytest.mark.parametrize("kid", ["rsa", "ec", "okp"])
def test_a_good_token_lets_in_with_the_roles_of_the_directory(trusting: Served, kid: str) -> None:
    for claims in (BY_UUID, {"account": OWNER.account.upper()}, BY_UUID | {"aud": ["other", AUDIENCE]}):
        answer = asked(trusting, token(kid, **claims))
        assert (answer.status_code, answer.json()["organization_id"]) == (200, OWNER.organization)
    member = somebody("enterprise_seat_based", "member")
    assert asked(trusting, token(kid, account=member.account)).status_code == 403
    assert asked(trusting, token(kid, account=TEAM.account)).status_code == 403, "no member of this organization"
    assert asked(trusting, token(kid, account=str(uuid4()))).status_code == 403


def test_a_token_becomes_a_session(trusting: Served) -> None:
    sent = {"token": token(account=ADMIN.account)}
    form = httpx.post(f"{trusting.base_url}/sign-in", data=sent)
    assert form.status_code == 303
    assert httpx.get(trusting.base_url + PATH, cookies=form.cookies).status_code == 200
    program = httpx.post(f"{trusting.base_url}/sign-in", json=sent)
    assert (program.json()["role"], program.json()["sees_spend"]) == ("admin", False)
    assert program.cookies["tally_session"] != form.cookies["tally_session"]


def test_an_e_mail_counts_when_it_is_verified_and_a_members(trusting: Served) -> None:
    def status(**claims: Any) -> int:
        return asked(trusting, token(aud="team", **claims)).status_code

    assert status(email=TEAM.email, email_verified=True) == 200
    for verified in (None, False, "true", 1):
        assert status(email=TEAM.email, email_verified=verified) == 401
    for email in (OWNER.email, TEAM.email.upper(), "", None, ["x"], somebody("team", "").email):
        assert status(email=email, email_verified=True) == 401


BAD: dict[str, dict[str, Any]] = {
    "another key's signature": {"signed_by": "foreign"},
    "a key that the provider does not have": {"kid": "foreign"},
    "a short key": {"kid": "short"},
    "another audience": {"aud": "other"},
    "no audience": {"aud": None},
    "audiences of others": {"aud": ["a", "b"]},
    "another issuer": {"iss": "https://evil.example/"},
    "almost the issuer": {"iss": ISSUER.rstrip("/")},
    "no issuer": {"iss": None},
    "odd issuer": {"iss": 7},
    "expired": {"iat": later(minutes=-20), "exp": later(minutes=-1)},
    "no end": {"exp": None},
    "an end that is no moment": {"exp": "never"},
    "no beginning": {"iat": None},
    "of the future": {"iat": later(minutes=2), "exp": later(minutes=9)},
    "not before later": {"nbf": later(minutes=2)},
    "too long-lived": {"exp": later(minutes=61)},
    "no account": {"account": None},
    "no UUID": {"account": "x"},
    "odd account": {"account": {"x": 1}},
    "a critical extension": {"header": {"crit": ["x"], "x": 1}},
    "no key id": {"header": {"kid": None}},
    "odd key id": {"header": {"kid": "../../x"}},
    "another algorithm of the key": {"header": {"alg": "PS256"}},
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_token_lets_nobody_in(trusting: Served, what: str) -> None:
    made = token(**(BY_UUID | BAD[what]))
    for answer in (asked(trusting, made), httpx.post(f"{trusting.base_url}/sign-in", json={"token": made})):
        assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
        assert "set-cookie" not in answer.headers
        assert made.rpartition(".")[2] not in answer.text


def forged(algorithm: str, secret: bytes = b"") -> str:
    """A token that says how to check it: not at all, or with what is public as the shared secret."""
    good = token(**BY_UUID).split(".")
    header = urlsafe_b64encode(json.dumps({"alg": algorithm, "kid": "rsa", "typ": "JWT"}).encode()).decode().rstrip("=")
    signature = hmac.digest(secret, f"{header}.{good[1]}".encode(), hashlib.sha256) if secret else b""
    return f"{header}.{good[1]}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_a_token_does_not_choose_how_it_is_checked(trusting: Served, issuer: idp.Provider) -> None:
    key = KEYS["rsa"][0].public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    jwk = json.dumps(public("rsa")[0]).encode()
    for made in (forged("none"), forged("None"), *(forged("HS256", secret) for secret in (pem, pem.strip(), jwk))):
        assert asked(trusting, made).status_code == 401
    assert asked(trusting, token(**BY_UUID)).status_code == 200, "the control: what was forged is good when signed"


def test_garbage_is_refused(trusting: Served) -> None:
    good = token(**BY_UUID)
    deep = urlsafe_b64encode(b"[" * 8000).decode()
    cut = (good[:-2], good + "x", good.replace(".", "..", 1))
    for made in (*cut, "a.b.c", "..", "e30.e30.", "é.é.é", "." * 2000, f"{deep}.x.x", f"{good.split('.')[0]}.{deep}.x"):
        assert asked(trusting, made).status_code == 401
    assert asked(trusting, token(**BY_UUID, more="x" * 20_000)).status_code == 401


def test_keys_are_asked_for_rarely_whatever_is_named(world: World, issuer: idp.Provider, trusting: Served) -> None:
    with serve(context_of(world)) as fresh:
        issuer.asked.clear()
        for _ in range(3):
            assert asked(fresh, token(**BY_UUID)).status_code == 200
        assert len(issuer.asked) == 1
        for _ in range(5):
            assert asked(fresh, token("foreign", **BY_UUID)).status_code == 401
        assert len(issuer.asked) == 1, "one that was fetched just now needs not be fetched for a key that it lacks"
        ring = fresh.context.tokens._rings[issuer.url]
        began, ring.clock = ring.clock(), lambda: began + 31
        issuer.keys = public("rsa", "foreign")
        try:
            assert asked(fresh, token("foreign", **BY_UUID)).status_code == 200
            assert asked(fresh, token("ec", **BY_UUID)).status_code == 401, "a key that was taken back"
            assert len(issuer.asked) == 2
        finally:
            issuer.keys = public("rsa", "ec", "okp", "short")


@pytest.mark.parametrize("status", [302, 404, 500])
def test_without_keys_the_answer_is_later(world: World, issuer: idp.Provider, trusting: Served, status: int) -> None:
    issuer.status = status
    issuer.asked.clear()
    try:
        with serve(context_of(world)) as fresh:
            answer = asked(fresh, token(**BY_UUID))
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
            assert issuer.asked == ["/"], "a redirect is not followed"
    finally:
        issuer.status = 200


def test_old_keys_hold_for_a_while(world: World, issuer: idp.Provider, trusting: Served) -> None:
    with serve(context_of(world)) as fresh:
        assert asked(fresh, token(**BY_UUID)).status_code == 200
        ring = fresh.context.tokens._rings[issuer.url]
        began, issuer.status = ring.clock(), 500
        try:
            for ahead, expected in ((700, 200), (3500, 200), (3700, 503)):
                ring.clock = lambda ahead=ahead: began + ahead  # type: ignore[misc]
                assert asked(fresh, token(**BY_UUID)).status_code == expected
        finally:
            issuer.status = 200


def test_a_provider_serves_one_organization_an_audience(world: World, trusting: Served, issuer: idp.Provider) -> None:
    client = world.client()
    mine = Kept(OWNER.organization, ISSUER, AUDIENCE, issuer.url, "account")
    with pytest.raises(ProviderError, match="audience already"):
        save_provider(client, replace(mine, organization_id=OTHER.organization), NOW)
    save_provider(client, replace(mine, organization_id=OTHER.organization, audience="third"), NOW)
    ambiguous = token(account=OTHER.account, aud=[AUDIENCE, "third"])
    assert asked(trusting, token(account=OTHER.account, aud="third")).json()["organization_id"] == OTHER.organization
    assert asked(trusting, ambiguous).status_code == 401
    remove_provider(client, OTHER.organization, NOW)
    assert asked(trusting, token(account=OTHER.account, aud="third")).status_code == 401
    with pytest.raises(ProviderError, match="no identity provider"):
        remove_provider(client, OTHER.organization, NOW)
    client.close()
