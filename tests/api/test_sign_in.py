"""Signing in by a one-time link: it works once, for ten minutes, by its button; cookies, other sites, signing out."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from access.sessions import Identity
from api.rate_limit import RateLimiter
from tests.support.api_server import PREFIX, Served, context_of, serve
from tests.support.people import somebody
from tests.support.sign_in import FORM, browser, holder_of, link_for, use
from tests.support.simulated_world import World

PATH = f"{PREFIX}/summaries?starting_date=2026-11-18"
OWNER = somebody("team", "owner")


def test_a_link_signs_in_by_its_button_alone(served: Served, world: World) -> None:
    link = link_for(world, holder_of(OWNER))
    for _ in range(3):
        page = httpx.get(f"{served.base_url}/sign-in", params={"link": link})
        assert (page.status_code, "set-cookie" in page.headers) == (200, False)
        assert f'name="link" value="{link}"' in page.text
        assert "script" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
    answer = use(served, link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    signed_in = httpx.Client(base_url=served.base_url, cookies=answer.cookies)
    assert signed_in.get(PATH).json()["organization_id"] == OWNER.organization
    assert signed_in.get(PATH).headers["cache-control"] == "no-store"
    assert OWNER.email in signed_in.get("/sign-in").text
    assert use(served, link).status_code == 401


def test_of_many_who_use_a_link_at_once_one_is_let_in(served: Served, world: World) -> None:
    for _ in range(3):
        link = link_for(world, holder_of(OWNER))
        with ThreadPoolExecutor(8) as pool:
            statuses = sorted(answer.status_code for answer in pool.map(partial(use, served), [link] * 8))
        assert statuses == [303] + [401] * 7


@pytest.mark.parametrize("link", ["", "x", "A" * 43, "A" * 5000, "é", "../.."])
def test_what_is_no_link_lets_nobody_in(served: Served, link: str) -> None:
    answer = use(served, link)
    assert answer.status_code in (400, 401)
    assert "set-cookie" not in answer.headers


def test_an_expired_link_and_a_session_as_link_let_nobody_in(served: Served, world: World) -> None:
    assert use(served, link_for(world, holder_of(OWNER), minutes=0)).status_code == 401
    session = browser(world, served, holder_of(OWNER)).cookies["tally_session_8080"]
    assert use(served, session).status_code == 401
    link = link_for(world, holder_of(OWNER))
    assert httpx.get(served.base_url + PATH, cookies={"tally_session_8080": link}).status_code == 401


def test_the_cookie_is_out_of_reach(world: World) -> None:
    with serve(context_of(world)) as plain, serve(context_of(world, base_url="https://tally.example")) as secure:
        told = use(plain, link_for(world, holder_of(OWNER))).headers["set-cookie"]
        flags = {part.strip().lower() for part in told.split(";")[1:]}
        assert flags == {"httponly", "samesite=strict", "path=/", "max-age=28800"}
        assert told.startswith("tally_session_8080=")
        told = use(secure, link_for(world, holder_of(OWNER))).headers["set-cookie"]
        assert told.startswith("__Host-tally_session=")
        assert "; secure" in told.lower()


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8080"},
    ],
)
def test_another_site_signs_nobody_in_or_out(served: Served, world: World, headers: dict[str, str]) -> None:
    link = link_for(world, holder_of(OWNER))
    for path in ("/sign-in", "/sign-out"):
        assert httpx.post(served.base_url + path, data={"link": link}, headers=headers).status_code == 403
    assert use(served, link).status_code == 303, "the refused attempt must not have used it"


def test_our_own_page_is_known_by_either_header(served: Served, world: World) -> None:
    for headers in ({"origin": served.base_url}, {"origin": "http://127.0.0.1:8080"}, FORM, {}):
        sent = {"link": link_for(world, holder_of(OWNER))}
        assert httpx.post(f"{served.base_url}/sign-in", data=sent, headers=headers).status_code == 303


def test_signing_out_ends_the_session_at_once(served: Served, world: World) -> None:
    signed_in = browser(world, served, holder_of(OWNER))
    kept = dict(signed_in.cookies)
    assert signed_in.get(PATH).status_code == 200
    answer = signed_in.post("/sign-out")
    assert (answer.status_code, "max-age=0" in answer.headers["set-cookie"].lower()) == (303, True)
    assert httpx.get(served.base_url + PATH, cookies=kept).status_code == 401


def test_signing_in_again_ends_the_session_that_the_browser_had(served: Served, world: World) -> None:
    """Nobody could sign it out any more: the browser has forgotten its secret."""
    before = browser(world, served, holder_of(OWNER))
    elsewhere = browser(world, served, holder_of(OWNER))
    link = {"link": link_for(world, holder_of(OWNER))}
    assert httpx.post(f"{served.base_url}/sign-in", data=link, headers=FORM, cookies=before.cookies).status_code == 303
    assert before.get(PATH).status_code == 401
    assert elsewhere.get(PATH).status_code == 200, "another browser's session is none of its business"


def test_an_attempt_that_fails_ends_no_session(served: Served, world: World) -> None:
    before = browser(world, served, holder_of(OWNER))
    sent = {"link": "no link"}
    assert httpx.post(f"{served.base_url}/sign-in", data=sent, headers=FORM, cookies=before.cookies).status_code == 401
    assert before.get(PATH).status_code == 200


def test_programs_are_answered_in_json(served: Served, world: World) -> None:
    link = link_for(world, holder_of(OWNER))
    answer = httpx.post(f"{served.base_url}/sign-in", json={"link": link})
    assert answer.json()["role"] == "owner"
    assert answer.json()["sees_spend"] is True
    refused = httpx.post(f"{served.base_url}/sign-in", json={"link": link})
    assert (refused.status_code, refused.json()["error"]["type"]) == (401, "authentication_error")


def test_an_operator_sees_no_organization(served: Served, world: World) -> None:
    signed_in = browser(world, served, Identity(operator="kim"))
    assert "operator kim" in signed_in.get("/sign-in").text
    assert signed_in.get(PATH).status_code == 403


BODIES = [
    b"",
    b"{",
    b"[]",
    b"{}",
    b'{"link": 1}',
    b'{"link": "x", "token": "y"}',
    b"link",
    b"link=x&link=y",
    b"\xff",
    b"a=1&" * 99,
]
KINDS = ["application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""]


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_sent_is_answered(served: Served, kind: str) -> None:
    for body in BODIES:
        answer = httpx.post(f"{served.base_url}/sign-in", content=body, headers={"content-type": kind})
        assert answer.status_code in (400, 401), body
    large = httpx.post(f"{served.base_url}/sign-in", content=b"x" * 70_000, headers={"content-type": kind})
    assert large.status_code == 413


def asked_by_key(served: Served, key: str) -> list[int]:
    return [served.get(f"{PREFIX}/summaries", key, starting_date="2026-11-18").status_code for _ in range(2)]


def test_a_person_has_a_rate_of_their_own(served: Served, world: World) -> None:
    with serve(context_of(world, 1, person_rates=RateLimiter(3))) as limited:
        one, other = (browser(world, limited, holder_of(somebody("team", role))) for role in ("owner", "primary_owner"))
        assert [one.get(PATH).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert other.get(PATH).status_code == 200
        assert asked_by_key(limited, served.keys[OWNER.organization]) == [200, 429], "keys are counted apart"


def test_failures_are_limited_and_a_good_link_is_let_in_all_the_same(world: World) -> None:
    """One address may be a proxy's or an office's: whoever fails there keeps nobody else from signing in."""
    with serve(context_of(world, sign_ins=RateLimiter(3))) as limited:
        for _ in range(5):
            assert use(limited, link_for(world, holder_of(OWNER))).status_code == 303, "no failure, so not counted"
        assert [use(limited, "x").status_code for _ in range(4)] == [401, 401, 401, 429]
        assert use(limited, link_for(world, holder_of(OWNER))).status_code == 303


def test_refused_keys_and_cookies_are_limited_and_a_good_key_is_not(served: Served, world: World) -> None:
    with serve(context_of(world, refusals=RateLimiter(3))) as limited:
        bad, key = f"tally_{'0' * 12}_{'a' * 43}", served.keys[OWNER.organization]
        tries = [limited.get(f"{PREFIX}/users", bad, date="2026-11-18") for _ in range(2)]
        tries += [httpx.get(limited.base_url + PATH, cookies={"tally_session_8080": "A" * 43}) for _ in range(2)]
        assert [answer.status_code for answer in tries] == [401, 401, 401, 429]
        assert int(tries[-1].headers["retry-after"]) > 0
        assert asked_by_key(limited, key) == [200, 200]


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ([f"2001:db8::{number}" for number in range(3)], [401, 401, 429]),
        ([f"2001:db8:0:{number}::1" for number in range(3)], [401, 401, 401]),
        (["203.0.113.5", "::ffff:203.0.113.5", "203.0.113.5"], [401, 401, 429]),
        (["203.0.113.5", "203.0.113.6", "203.0.113.7"], [401, 401, 401]),
        (["1.1.1.1, 203.0.113.5", "2.2.2.2, 203.0.113.5", "3.3.3.3, 203.0.113.5"], [401, 401, 429]),
        (["junk", "more junk", "1.2.3.4:5:6"], [401, 401, 429]),
    ],
)
def test_an_address_is_the_proxys_word_and_ipv6_counts_by_64_bits(
    world: World, addresses: list[str], expected: list[int]
) -> None:
    with serve(context_of(world, sign_ins=RateLimiter(2), trusted_proxies="127.0.0.1")) as behind:
        got = [use(behind, "x", **{"x-forwarded-for": address}).status_code for address in addresses]
        assert got == expected


def test_a_proxy_that_is_not_trusted_is_not_believed_and_the_log_says_so(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(context_of(world, sign_ins=RateLimiter(2))) as direct:
        got = [use(direct, "x", **{"x-forwarded-for": f"203.0.113.{number}"}).status_code for number in range(3)]
    assert got == [401, 401, 429]
    assert caplog.text.count("add it to api_trusted_proxies") == 1


def test_a_link_says_as_whom_it_signs_in(served: Served, world: World) -> None:
    def page(link: str) -> str:
        return httpx.get(f"{served.base_url}/sign-in", params={"link": link}).text

    link = link_for(world, holder_of(OWNER))
    assert f"You will be signed in as {OWNER.email}, owner." in page(link)
    assert "operator kim" in page(link_for(world, Identity(operator="kim")))
    use(served, link)
    for gone in (link, "x", "A" * 43, "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")):
        assert "expired or already used" in page(gone)
        assert 'name="link"' not in page(gone)
