"""What holds for every request and answer: HEAD as GET, names that are ours, headers of refusals as of answers."""

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from api.app import make_app
from tests.support.api_server import PREFIX, Served, context_of, serve
from tests.support.people import somebody
from tests.support.sign_in import browser, holder_of
from tests.support.simulated_world import World

OWNER = somebody("enterprise_usage_based", "owner")
FILES = {"{file:str}": "active.csv", "{day:str}": "2026-11-18", "{revision:str}": "1", "{rest:path}": "x"}
QUERIES = {
    f"{PREFIX}/summaries": "starting_date=2026-11-18",
    "/v1/organizations/usage_report/claude_code": "starting_at=2026-11-18",
}


def addresses(app: Litestar) -> Iterator[str]:
    """An address of every GET route."""
    for route in app.routes:
        if isinstance(route, HTTPRoute) and "GET" in route.methods:
            path = route.path.replace("{organization:str}", OWNER.organization)
            for name, value in FILES.items():
                path = path.replace(name, value)
            usual = (
                "starting_at=2026-11-18T00:00:00Z" if path.endswith(("report", "usage", "cost")) else "date=2026-11-18"
            )
            query = QUERIES.get(path) or (usual if path.startswith(PREFIX) else "")
            yield path + ("?" + query if query else "")


def test_head_is_get_without_the_body_on_every_route(served: Served, world: World) -> None:
    signed_in = browser(world, served, holder_of(OWNER))
    asked = list(addresses(make_app(served.context).app))
    assert len(asked) > 30
    for address in asked:
        head = signed_in.head(address, headers={"accept-encoding": "identity"})
        with signed_in.stream("GET", address, headers={"accept-encoding": "identity"}) as got:
            assert (head.status_code, head.content) == (got.status_code, b""), address
            kept = {
                name
                for name in got.headers
                if name not in ("request-id", "date", "content-length", "transfer-encoding")
            }
            assert {name: head.headers.get(name) for name in kept} == {name: got.headers[name] for name in kept}, (
                address
            )
    streamed = signed_in.head(f"/organizations/{OWNER.organization}/live/stream")
    assert streamed.headers["content-type"].startswith("text/event-stream")


def test_every_route_says_the_same_to_options_as_with_a_refusal(served: Served) -> None:
    """To anybody: the methods are no secret."""
    for address in addresses(make_app(served.context).app):
        refused, asked = (httpx.request(method, served.base_url + address) for method in ("PATCH", "OPTIONS"))
        assert (refused.status_code, asked.status_code, asked.content) == (405, 204, b""), address
        assert {"GET", "HEAD", "OPTIONS"} <= set(asked.headers["allow"].split(", ")), address
        assert asked.headers["allow"] == refused.headers["allow"], address


def test_whoever_may_not_is_told_what_may(served: Served) -> None:
    for path, methods in (
        ("/", {"GET", "HEAD", "OPTIONS"}),
        ("/alive", {"GET", "HEAD", "OPTIONS"}),
        (f"{PREFIX}/users", {"GET", "HEAD", "OPTIONS"}),
        ("/sign-in", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/sign-out", {"OPTIONS", "POST"}),
        ("/organizations/a/spend", {"GET", "HEAD", "OPTIONS"}),
        ("/organizations/a/no/such/page", {"GET", "HEAD", "OPTIONS"}),
        ("//sign-in/", {"GET", "HEAD", "OPTIONS", "POST"}),
    ):
        refused = httpx.request("PATCH", served.base_url + path)
        assert (refused.status_code, set(refused.headers["allow"].split(", "))) == (405, methods), path
        asked = httpx.options(served.base_url + path)
        assert (asked.status_code, asked.content, asked.headers["allow"]) == (204, b"", refused.headers["allow"]), path
    nowhere = httpx.options(f"{served.base_url}/nowhere")
    assert (nowhere.status_code, nowhere.json()["error"]["type"]) == (404, "not_found_error")
    assert httpx.options(f"{served.base_url}/sign-in", headers={"host": "evil.example"}).status_code == 421
    assert httpx.head(f"{served.base_url}/sign-out").status_code == 405
    assert httpx.head(f"{served.base_url}/nowhere").status_code == 404


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        ("LOCALHOST.:99", 200),
        ("[::1]:8080", 200),
        ("10.1.2.3", 200),
        ("tally.example", 200),
        ("tally-api:8080", 200),
        ("evil.example", 421),
        ("rebind.127.0.0.1.evil.example:8080", 421),
        ("127.0.0.1.evil.example", 421),
        ("user@evil.example", 421),
        ("evil.example#127.0.0.1", 421),
        ("", 421),
        ("[", 421),
        ("\xe9", 421),
    ],
)
def test_a_name_that_is_not_ours_is_refused(world: World, host: str, expected: int) -> None:
    with serve(context_of(world, base_url="https://tally.example", hosts=["tally-api"])) as named:
        answer = httpx.get(f"{named.base_url}/alive", headers={b"host": host.encode("latin-1")})
        assert answer.status_code == expected
        assert answer.headers["request-id"].startswith("req_")


def test_refusals_have_the_headers_of_answers(world: World, served: Served, organization: str) -> None:
    with ExitStack() as stack:
        secure = stack.enter_context(serve(context_of(world, base_url="https://127.0.0.1")))
        for path in (
            "/alive",
            "/nowhere",
            f"{PREFIX}/users",
            f"{PREFIX}/users?date=x",
            "/sign-in",
            "/schema/openapi.json",
        ):
            for api in (served, secure):
                answer = api.get(path, served.keys[organization] if "date" in path else "")
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["cache-control"] == "no-store"
                assert ("strict-transport-security" in answer.headers) == (api is secure)
                assert answer.headers["content-type"].count("charset") <= 1
        assert served.get("/sign-in").headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize(
    "origin", ["ftp://{host}", "https://{host}", "//{host}", "http://{host}/", "http://x@{host}", "{host}"]
)
def test_an_origin_is_ours_with_its_scheme_alone(served: Served, origin: str) -> None:
    host = served.base_url.removeprefix("http://")
    refused = httpx.post(f"{served.base_url}/sign-out", headers={"origin": origin.format(host=host)})
    assert refused.status_code == 403
    assert httpx.post(f"{served.base_url}/sign-out", headers={"origin": served.base_url}).status_code == 303
