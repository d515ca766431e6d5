"""The audit log: an entry stands there before an answer that tells of spend leaves, or the answer does not leave."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from litestar import Litestar, Request, get
from litestar.response import Stream
from msgspec import Struct

from access.audit_chain import verify_chain
from access.audit_log import AuditEntry, read_entries, write_entry
from access.keys import READ_ACTIVITY, create_key
from access.sessions import Identity
from api.audit import set_row_count
from api.auth.guards import require_spend, require_viewer
from api.rate_limit import RateLimiter
from simulation import Plan
from tests.support.api_server import PREFIX, Served, context_of, serve
from tests.support.people import people_events, somebody
from tests.support.route_table import handlers, may_tell_spend
from tests.support.sign_in import browser, holder_of, link_for, use
from tests.support.simulated_world import NOW, UNTIL, World, make_world

OWNER, ADMIN = somebody("enterprise_usage_based", "owner"), somebody("enterprise_usage_based", "admin")
SKILLS = f"{PREFIX}/skills"
ROWS = [b"day,net_spend_usd\n", b"2026-11-18,0.1\n", b"2026-11-19,0.2\n"]


class Cost(Struct):
    """What a route of costs answers with."""

    net_spend_usd: str


@get("/cost", guards=[require_viewer, require_spend], exposes_spend=True)
async def cost() -> Cost:
    return Cost("0.30")


@get("/costs", guards=[require_viewer, require_spend], exposes_spend=True)
async def costs() -> dict[str, list[dict[str, list[Cost]]]]:
    return {"data": [{"results": [Cost("1"), Cost("2")]}, {"results": []}, {"results": [Cost("3")]}]}


@get("/forgotten", guards=[require_viewer])
async def forgotten() -> Cost:
    return Cost("0.30")


@get("/cost.csv", guards=[require_viewer, require_spend], exposes_spend=True)
async def cost_file(request: Request[Any, Any, Any]) -> Stream:
    async def rows() -> AsyncIterator[bytes]:
        while "endless" in request.query_params:
            yield ROWS[1] * 10_000
            await asyncio.sleep(0)
        for row in ROWS:
            yield row
        if "break" in request.query_params:
            own: Client = request.app.state.context.connect()
            own.command("RENAME TABLE audit_log TO audit_log_away")
        set_row_count(request, len(ROWS) - 1)

    return Stream(rows(), media_type="text/csv", headers={"content-disposition": "attachment"})


@pytest.fixture(scope="module")
def own(clickhouse: str) -> World:
    """A world whose audit log no other test writes to, and one may take away."""
    plan = Plan(until=UNTIL, seed=6, organizations=1, users=3, days=3)
    return make_world(clickhouse, f"audit_{uuid4().hex}", plan, lambda _: people_events())


@pytest.fixture(scope="module")
def running(own: World) -> Iterator[Served]:
    context, ticks = context_of(own), count()
    context.clock = lambda: NOW + timedelta(microseconds=next(ticks))
    with serve(context, cost, costs, cost_file) as served:
        yield served


@pytest.fixture
def client(own: World) -> Iterator[Client]:
    client = own.client()
    client.command("TRUNCATE TABLE audit_log")
    yield client
    client.close()


def logged(client: Client, organization: str = OWNER.organization) -> list[AuditEntry]:
    return read_entries(client, organization, datetime(1970, 1, 1, tzinfo=UTC), 0)


def test_a_read_of_spend_is_logged_with_the_bodys_hash(running: Served, own: World, client: Client) -> None:
    _, text = create_key(client, OWNER.organization, "finance", NOW, None)
    signed_in = browser(own, running, holder_of(OWNER))
    parameters = (("date", "2026-11-18"), ("filter[]", "product:chat"), ("filter[]", "product:cowork"))
    bodies = [signed_in.get(SKILLS, params=parameters), running.get("/cost", text), running.get("/costs", text)]
    entry, read, cost_read, costs_read = logged(client)
    assert (entry.action, entry.actor, entry.outcome) == ("sign-in", f"person {OWNER.account}", "done")
    assert NOW < read.moment < cost_read.moment
    assert read == AuditEntry(
        read.moment,
        f"person {OWNER.account}",
        "read of spend",
        "done",
        OWNER.organization,
        SKILLS,
        json.dumps({"date": ["2026-11-18"], "filter[]": ["product:chat", "product:cowork"]}, separators=(",", ":")),
        len(bodies[0].json()["data"]),
        sha256(bodies[0].content).hexdigest(),
        bodies[0].headers["request-id"],
        "127.0.0.1",
    )
    assert (cost_read.actor, cost_read.rows) == (f"key {text[6:18]}", None)
    assert cost_read.sha256 == sha256(bodies[1].content).hexdigest() != sha256(b"").hexdigest()
    assert (costs_read.rows, costs_read.sha256) == (3, sha256(bodies[2].content).hexdigest())
    stored = str(client.query("SELECT * FROM audit_log").result_rows)
    assert text[19:] not in stored
    assert signed_in.cookies["tally_session_8080"] not in stored


def test_what_tells_no_spend_is_not_logged_and_a_refusal_is(running: Served, own: World, client: Client) -> None:
    _, blind = create_key(client, OWNER.organization, "blind", NOW, None, scopes=(READ_ACTIVITY,))
    assert running.get(SKILLS, blind, date="2026-11-18").status_code == 200
    assert running.get(f"{PREFIX}/users", blind, date="2026-11-18").status_code == 200
    assert running.get("/cost", blind, day="2026-11-18").status_code == 403
    assert running.get("/cost", "nobody").status_code == 401
    (entry,) = logged(client)
    assert (entry.route, entry.outcome, entry.rows, entry.sha256) == ("/cost", "refused: 403", None, "")


def test_a_file_is_logged_before_its_first_and_before_its_last_byte(
    running: Served, own: World, client: Client
) -> None:
    signed_in = browser(own, running, holder_of(OWNER))
    body = signed_in.get("/cost.csv").content
    assert body == b"".join(ROWS)
    _, begun, done = logged(client)
    assert [(each.action, each.outcome, each.rows) for each in (begun, done)] == [
        ("export", "begun", None),
        ("export", "done", 2),
    ]
    assert (begun.sha256, done.sha256) == ("", sha256(body).hexdigest())


def test_a_file_that_its_reader_left_is_logged_as_broken_off(running: Served, own: World, client: Client) -> None:
    signed_in = browser(own, running, holder_of(OWNER))
    with signed_in.stream("GET", "/cost.csv?endless=1") as answer:
        next(answer.iter_raw())
    deadline = time.monotonic() + 20
    while len(logged(client)) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [entry.outcome for entry in logged(client)] == ["done", "begun", "broken off"]


def test_a_refusal_that_hides_is_logged_too(running: Served, own: World, client: Client) -> None:
    """Whoever tries every page and export about spend is seen, whatever they are told."""
    signed_in, pages = browser(own, running, holder_of(ADMIN)), f"/organizations/{ADMIN.organization}"
    client.command("TRUNCATE TABLE audit_log")
    tried = [f"{pages}/spend", f"{pages}/exports", f"{pages}/exports/download", f"{pages}/exports/issued/2026-11-18/1"]
    for path in tried:
        assert signed_in.get(path, params={"period": "mtd"}).status_code == 404
    assert [(entry.route, entry.actor, entry.outcome) for entry in logged(client)] == [
        (path, f"person {ADMIN.account}", "refused: 404") for path in tried
    ]
    with serve(context_of(own, hide_refusals=True), cost) as hiding:
        _, blind = create_key(client, OWNER.organization, "blind", NOW, None, scopes=(READ_ACTIVITY,))
        assert hiding.get("/cost", blind).status_code == 404
    assert f"key {blind[6:18]}" in {entry.actor for entry in logged(client)}


def test_an_entry_says_from_where(own: World, client: Client) -> None:
    with serve(context_of(own, trusted_proxies="127.0.0.1"), cost) as behind:
        from_there = {"x-forwarded-for": "198.51.100.7"}
        assert use(behind, "x", **from_there).status_code == 401
        link = link_for(own, holder_of(OWNER))
        signed_in = httpx.Client(base_url=behind.base_url, cookies=use(behind, link, **from_there).cookies)
        signed_in.get("/cost", headers=from_there)
    assert [entry.address for entry in logged(client, "")] == ["198.51.100.7"] * 3


def test_an_entry_has_bounds(running: Served, own: World, client: Client) -> None:
    signed_in = browser(own, running, holder_of(OWNER))
    long = (("date", "2026-11-18"), *(("filter[]", f"skill_name:{number}{'x' * 400}") for number in range(60)))
    assert signed_in.get(SKILLS, params=long).status_code == 200
    assert len(logged(client)[-1].filter.encode()) < 4300
    assert " bytes of SHA-256 " in logged(client)[-1].filter


def test_strangers_cannot_fill_the_log(own: World, client: Client) -> None:
    with serve(context_of(own, strangers_noted=RateLimiter(5), sign_ins=RateLimiter(8))) as limited:
        assert {use(limited, "x").status_code for _ in range(20)} == {401, 429}
        assert len(logged(client, "")) == 5
        browser(own, limited, holder_of(OWNER))
        assert logged(client)[-1].outcome == "done"


def test_the_log_shows_that_it_was_tampered_with(own: World, client: Client) -> None:
    _, text = create_key(client, OWNER.organization, "k", NOW, None)
    other = own.client()
    with serve(context_of(own), cost) as fresh:
        for _ in range(3):
            fresh.get("/cost", text)
        for actor in ("one", "two"):
            write_entry(other, AuditEntry(NOW + timedelta(days=1), actor, "key", "done"))
        fresh.get("/cost", text)
    whole = verify_chain(client)
    assert (whole.entries, whole.wrong) == (6, ())
    client.command("CREATE TABLE kept_log AS audit_log")
    client.command("INSERT INTO kept_log SELECT * FROM audit_log")
    for tampering in (
        "ALTER TABLE audit_log UPDATE outcome = 'x' WHERE number = 2 AND actor != 'two' SETTINGS mutations_sync = 2",
        "ALTER TABLE audit_log UPDATE moment = addHours(moment, 1) WHERE actor = 'one' SETTINGS mutations_sync = 2",
        "DELETE FROM audit_log WHERE number = 2 AND actor != 'two'",
        "DELETE FROM audit_log WHERE actor IN ('one', 'two')",
        "DELETE FROM audit_log WHERE number = 1",
        "INSERT INTO audit_log SELECT * REPLACE('nobody' AS actor) FROM kept_log WHERE number = 1",
    ):
        try:
            client.command(tampering)
        except ClickHouseError:
            continue  # a key column cannot be changed
        assert verify_chain(client).wrong, tampering
        client.command("TRUNCATE TABLE audit_log")
        client.command("INSERT INTO audit_log SELECT * FROM kept_log")
        assert verify_chain(client, whole.head).wrong == ()
    client.command("DELETE FROM audit_log WHERE moment = (SELECT max(moment) FROM kept_log)")
    assert verify_chain(client, whole.head).wrong, "a head that was noted shows that the end was cut off"
    client.command("DROP TABLE kept_log")
    other.close()


def test_what_cannot_be_logged_is_not_told(running: Served, own: World, client: Client) -> None:
    signed_in = browser(own, running, holder_of(OWNER))
    blind = browser(own, running, holder_of(ADMIN))
    link = link_for(own, holder_of(OWNER))
    client.command("RENAME TABLE audit_log TO audit_log_away")
    try:
        for path in ("/cost", "/cost.csv", f"{SKILLS}?date=2026-11-18"):
            answer = signed_in.get(path)
            assert (answer.status_code, answer.json()["error"]["type"]) == (503, "api_error")
            assert answer.headers["request-id"] == answer.json()["request_id"]
            assert "0.3" not in answer.text
        assert use(running, link).status_code == 503
        assert signed_in.get(f"{PREFIX}/users?date=2026-11-18").status_code == 200
        assert blind.get(f"{SKILLS}?date=2026-11-18").status_code == 200
    finally:
        client.command("RENAME TABLE audit_log_away TO audit_log")


def test_a_file_whose_end_cannot_be_logged_breaks_off(running: Served, own: World, client: Client) -> None:
    signed_in = browser(own, running, holder_of(OWNER))
    try:
        with pytest.raises(httpx.RemoteProtocolError):
            signed_in.get("/cost.csv?break=1")
    finally:
        client.command("RENAME TABLE audit_log_away TO audit_log")
    assert [entry.outcome for entry in logged(client)] == ["done", "begun"]


def test_signing_in_and_out_is_logged(running: Served, own: World, client: Client) -> None:
    member = somebody("enterprise_usage_based", "member")
    signed_in = browser(own, running, holder_of(OWNER))
    signed_in.post("/sign-out")
    signed_in.post("/sign-out")
    use(running, link_for(own, holder_of(member)))
    assert [(entry.actor, entry.action, entry.outcome[:7]) for entry in logged(client)] == [
        (f"person {OWNER.account}", "sign-in", "done"),
        (f"person {OWNER.account}", "sign-out", "done"),
        (f"person {member.account}", "sign-in", "refused"),
    ]
    browser(own, running, Identity(operator="kim"))
    use(running, "A" * 43)
    others = [(entry.actor, entry.outcome[:7]) for entry in logged(client, "")]
    assert others[-2:] == [("operator kim", "done"), ("", "refused")]
    assert "A" * 43 not in str(client.query("SELECT * FROM audit_log").result_rows)


def test_one_setting_hides_that_there_is_spend(own: World, client: Client) -> None:
    _, blind = create_key(client, OWNER.organization, "blind", NOW, None, scopes=(READ_ACTIVITY,))
    with serve(context_of(own, hide_refusals=True), cost) as hiding:
        hidden, nowhere = hiding.get("/cost", blind), hiding.get("/nowhere", blind)
        assert (hidden.status_code, hidden.json()["error"]) == (404, nowhere.json()["error"])
        signed_in = browser(own, hiding, Identity(operator="kim"))
        assert signed_in.get("/cost").status_code == 404


def test_a_route_that_forgets_to_say_that_it_tells_spend_is_found() -> None:
    app = Litestar([cost, forgotten, cost_file], openapi_config=None)
    found = [
        path for path, handler in handlers(app) if may_tell_spend(handler) and not handler.opt.get("exposes_spend")
    ]
    assert found == ["/forgotten"]
