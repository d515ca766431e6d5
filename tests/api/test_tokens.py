"""Tokens of identity providers: whom they let in, and everything that makes one no token of ours."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from access.identity_providers import Provider as Kept
from access.identity_providers import ProviderError, remove_provider, save_provider
from access.jwt_verifier import JwtVerifier
from access.sessions import Identity, revoke_credentials
from tests.support import identity_provider as idp
from tests.support.api_server import NO_TLS, PREFIX, Served, context_of, serve
from tests.support.identity_provider import AUDIENCE, ISSUER, KEYS, later, public, token
from tests.support.people import somebody
from tests.support.simulated_world import NOW, World

pytestmark = pytest.mark.slow

PATH = f"{PREFIX}/summaries?starting_date=2026-11-18"
OWNER, ADMIN = somebody("enterprise_seat_based", "owner"), somebody("enterprise_seat_based", "admin")
TEAM, OTHER = somebody("team", "owner"), somebody("enterprise_usage_based", "owner")
BY_UUID: dict[str, Any] = {"account": OWNER.account}


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
    return httpx.get(
        served.base_url + PATH, headers={b"authorization": f"Bearer {text}".encode()}, timeout=30, verify=NO_TLS
    )


@pytest.mark.parametrize("kid", ["rsa", "ec", "okp"])
def test_a_good_token_lets_in_with_the_roles_of_the_directory(trusting: Served, kid: str) -> None:
    for claims in (BY_UUID, {"account": OWNER.account.upper()}, BY_UUID | {"aud": ["other", AUDIENCE]}):
        answer = asked(trusting, token(kid, **claims))
        assert (answer.status_code, answer.json()["organization_id"]) == (200, OWNER.organization)
    member = somebody("enterprise_seat_based", "member")
    assert asked(trusting, token(kid, account=member.account)).status_code == 403
    assert asked(trusting, token(kid, account=TEAM.account)).status_code == 403, "no member of this organization"
    assert asked(trusting, token(kid, account=str(uuid4()))).status_code == 403


def exchanged(served: Served, made: str) -> httpx.Response:
    return httpx.post(f"{served.base_url}/sign-in", json={"token": made}, timeout=30, verify=NO_TLS)


def test_a_token_becomes_a_session(trusting: Served) -> None:
    form = httpx.post(f"{trusting.base_url}/sign-in", data={"token": token(account=ADMIN.account)})
    assert form.status_code == 303
    assert httpx.get(trusting.base_url + PATH, cookies=form.cookies).status_code == 200
    program = exchanged(trusting, token(account=ADMIN.account, nonce="another"))
    assert (program.json()["role"], program.json()["sees_spend"]) == ("admin", False)
    assert program.cookies["tally_session_8080"] != form.cookies["tally_session_8080"]


def test_a_token_becomes_a_session_once(trusting: Served) -> None:
    once = token("ec", **BY_UUID, nonce="once")
    header, claims, _ = once.split(".")
    signed_again = KEYS["ec"][1](KEYS["ec"][1].SHA256).sign(f"{header}.{claims}".encode(), KEYS["ec"][0])
    twin = f"{header}.{claims}.{urlsafe_b64encode(signed_again).decode().rstrip('=')}"
    assert (exchanged(trusting, once).status_code, asked(trusting, twin).status_code) == (200, 200)
    for made in (once, twin):
        assert exchanged(trusting, made).status_code == 401
    by_id = [token(**BY_UUID, jti="j1", nonce=nonce) for nonce in "ab"]
    assert [exchanged(trusting, made).status_code for made in by_id] == [200, 401]
    assert asked(trusting, once).status_code == 200, "as bearer it is good until it ends"


def test_a_session_lives_no_longer_than_its_proof(world: World, trusting: Served) -> None:
    """Eight hours from when the person signed in at the provider, however late the token is exchanged."""
    proofs: list[tuple[int, dict[str, Any]]] = [(0, {}), (59, {}), (10, {"auth_time": later(hours=-7)})]
    for ago, claims in proofs:
        began = later(minutes=-ago)
        made = token(**BY_UUID, iat=began, exp=began + 3600, nonce=f"proof {ago}", **claims)
        answer = exchanged(trusting, made)
        left = 8 * 3600 - (later() - claims.get("auth_time", began))
        assert f"max-age={left};" in answer.headers["set-cookie"].lower()
        for ahead, expected in ((left - 1, 200), (left + 1, 401)):
            with serve(context_of(world, now=NOW + timedelta(seconds=ahead))) as then:
                assert httpx.get(then.base_url + PATH, cookies=answer.cookies).status_code == expected
    too_old = token(**BY_UUID, auth_time=later(hours=-9))
    assert exchanged(trusting, too_old).status_code == 401


def test_signing_out_ends_tokens_as_well(world: World, trusting: Served) -> None:
    """A person's, and everybody's of an organization: what was issued until then lets nobody in, as bearer or else."""
    client, other = world.client(), somebody("enterprise_seat_based", "primary_owner")
    for whose, gone in (
        (Identity(OWNER.organization, other.account), {other}),
        (Identity(OWNER.organization), {other, ADMIN}),
    ):
        client.command("TRUNCATE TABLE sign_outs")
        old, new = ((seconds, f"{seconds}") for seconds in (-5, 5))
        revoke_credentials(client, whose, NOW)
        for at, nonce in (old, new):
            for one in (other, ADMIN):
                made = token(account=one.account, iat=later(seconds=at), nonce=f"{nonce} {whose}")
                expected = 401 if one in gone and at < 0 else 200
                assert asked(trusting, made).status_code == expected
                assert exchanged(trusting, made).status_code == expected
    client.command("TRUNCATE TABLE sign_outs")
    client.close()


def test_another_kind_of_token_is_none(world: World, trusting: Served, issuer: idp.Provider) -> None:
    kinds: list[Any] = ["logout+jwt", "at+jwt", "application/at+jwt", "dpop+jwt", "secevent+jwt", 7, ["JWT"]]
    for kind in kinds:
        assert asked(trusting, token(**BY_UUID, header={"typ": kind})).status_code == 401
    for kind in ("JWT", "jwt", "application/jwt", None):
        assert asked(trusting, token(**BY_UUID, header={"typ": kind})).status_code == 200
    assert asked(trusting, token(**BY_UUID, azp=AUDIENCE)).status_code == 200
    assert asked(trusting, token(**BY_UUID, azp="another program")).status_code == 401
    client = world.client()
    taken = Kept(OTHER.organization, ISSUER, "for machines", issuer.url, "account", "at+jwt", "program")
    save_provider(client, taken, NOW)
    try:
        told: dict[str, Any] = {"account": OTHER.account, "aud": "for machines", "azp": "program"}
        assert asked(trusting, token(**told, header={"typ": "at+jwt"})).status_code == 200
        assert asked(trusting, token(**told)).status_code == 401
        assert asked(trusting, token(**(told | {"azp": "x"}), header={"typ": "at+jwt"})).status_code == 401
    finally:
        remove_provider(client, OTHER.organization, NOW)
        client.close()


def test_nobody_can_ask_which_providers_there_are(trusting: Served) -> None:
    """What is wrong before a signature is known to be the provider's is refused in the same words."""
    head = urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": "rsa"}).encode()).decode().rstrip("=")
    unsigned = f"{head}.{token(**BY_UUID).split('.')[1]}.AAAA"
    tries = [token(**(BY_UUID | BAD[what])) for what in BAD if what in UNPROVEN] + [forged("none"), unsigned]
    said = {asked(trusting, made).json()["error"]["message"] for made in tries}
    assert len(said) == 1
    assert {asked(trusting, made).status_code for made in tries} == {401}


ODD_TEXTS = ["\ud800", "\udfff\ud800", "a\ud800b", "\x00", "\U0010ffff", "x" * 5000]


@pytest.mark.parametrize("claim", ["iss", "aud", "account", "email", "jti", "azp", "sub", "more"])
@pytest.mark.parametrize("odd", ODD_TEXTS)
def test_an_odd_text_in_a_token_is_a_refusal(trusting: Served, claim: str, odd: str) -> None:
    made = token(**(BY_UUID | {claim: odd}))
    for answer in (asked(trusting, made), exchanged(trusting, made)):
        assert answer.status_code < 500
    of_header = token(**BY_UUID, header={"kid": odd})
    assert asked(trusting, of_header).status_code == 401


@pytest.mark.parametrize("claim", ["iat", "exp", "nbf", "auth_time"])
@pytest.mark.parametrize("odd", [-1, 0, 2**39, 2**63, 10**30, 1e308, float("nan"), float("inf"), True, "1", [1]])
def test_an_odd_moment_in_a_token_is_a_refusal(trusting: Served, claim: str, odd: Any) -> None:
    assert asked(trusting, token(**(BY_UUID | {claim: odd}))).status_code < 500


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


UNPROVEN = {
    "another key's signature",
    "a key that the provider does not have",
    "another audience",
    "audiences of others",
    "another issuer",
    "almost the issuer",
    "no issuer",
    "odd issuer",
    "no key id",
    "odd key id",
    "another algorithm of the key",
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


def told(answer: httpx.Response) -> tuple[int, str, dict[str, str]]:
    """All of an answer that does not differ from request to request."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("request-id", "date")}
    return answer.status_code, answer.json()["error"]["message"], headers


def test_nobody_can_tell_by_the_time_which_providers_there_are(
    world: World, issuer: idp.Provider, trusting: Served
) -> None:
    """A known one is asked for its keys, which takes a while; so all wait that long."""
    tokens = JwtVerifier(timedelta(hours=1), told_after_seconds=1.5)
    with serve(context_of(world, tokens=tokens)) as fresh:
        for made in (token("foreign", **BY_UUID), token(**(BY_UUID | {"iss": "https://nobody"})), forged("none")):
            for ask in (asked, exchanged):
                began = time.monotonic()
                assert ask(fresh, made).status_code == 401
                assert time.monotonic() - began >= 1.5
        assert asked(fresh, "a.b.c").status_code == 401, "what is no token at all tells of nobody"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_without_keys_the_answer_is_that_of_a_provider_that_nobody_knows(
    world: World, issuer: idp.Provider, trusting: Served, status: int
) -> None:
    issuer.status = status
    issuer.asked.clear()
    try:
        with serve(context_of(world)) as fresh:
            known, unknown = (asked(fresh, token(**(BY_UUID | named))) for named in ({}, {"iss": "https://nobody"}))
            assert known.status_code == 401
            assert told(known) == told(unknown)
            assert issuer.asked == ["/"], "a redirect is not followed"
    finally:
        issuer.status = 200


def test_old_keys_hold_for_a_while(world: World, issuer: idp.Provider, trusting: Served) -> None:
    with serve(context_of(world)) as fresh:
        assert asked(fresh, token(**BY_UUID)).status_code == 200
        ring = fresh.context.tokens._rings[issuer.url]
        began, issuer.status = ring.clock(), 500
        try:
            for ahead, expected in ((700, 200), (3500, 200), (3700, 401)):
                ring.clock = lambda ahead=ahead: began + ahead  # type: ignore[misc]
                assert asked(fresh, token(**BY_UUID)).status_code == expected
        finally:
            issuer.status = 200


def test_a_provider_serves_one_organization_an_audience(world: World, trusting: Served, issuer: idp.Provider) -> None:
    client = world.client()
    mine = Kept(OWNER.organization, ISSUER, AUDIENCE, issuer.url, "account")
    with pytest.raises(ProviderError, match="already accepts tokens"):
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
