"""What `emit --check` says that nothing counts changes no answer, and what a person's page counts changes no list."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from intake.uncounted import uncounted
from simulation import Plan
from tally_client.events import TOPIC_BY_TYPE, decoder
from tests.support.all_responses import Answers, answers, pages, questions, with_key
from tests.support.api_server import Served, context_of, make_keys, serve
from tests.support.deeds import some_of_each
from tests.support.fold_records import to_json
from tests.support.simulated_world import UNTIL, World, fold_lines, line_of, priced_world

pytestmark = pytest.mark.slow

PLAN = Plan(until=UNTIL, seed=12, organizations=1, users=5, days=4)
AT = "2026-11-17T10:00:00Z"
PLAIN = {"date", "starting_date", "starting_at", "ending_at", "limit"}


@pytest.fixture(scope="module")
def world(clickhouse: str) -> World:
    return priced_world(clickhouse, PLAN)


@pytest.fixture(scope="module")
def served(world: World) -> Iterator[Served]:
    with serve(context_of(world)) as running:
        running.keys = make_keys(world)
        yield running


def test_what_nothing_counts_changes_no_answer_and_what_a_persons_page_counts_no_list(
    world: World, served: Served
) -> None:
    (organization,) = world.organizations
    person = next(event["actor"]["id"] for event in world.events if event.get("actor", {}).get("type") == "user")
    by_verdict = sorted_out(organization, person)
    assert all(len(events) > 30 for events in by_verdict.values()), "each verdict has something to it"
    before = asked_of(world, served, person)
    assert [asked for asked, body in before.items() if len(body) == 3] == [], "what is refused compares nothing"

    folded(world, by_verdict["nothing"], 1_000_000)
    assert differing(before, asked_of(world, served, person)) == []

    folded(world, by_verdict["page"], 2_000_000)
    after = differing(before, asked_of(world, served, person))
    assert after
    assert [asked for asked in after if not asked.startswith("/organizations/")] == []


def asked_of(world: World, served: Served, person: str) -> Answers:
    """Every route of whole days, not cut any further, and every figure."""
    (organization,) = world.organizations
    api = (asked for asked in questions(world) if asked[1].keys() <= PLAIN)
    with with_key(served, served.keys[organization]) as client:
        return answers(client, api) | answers(client, pages(organization, person))


def sorted_out(organization: str, account: str) -> dict[str, list[dict[str, Any]]]:
    """Events of the organization, of the person and of machines of the same id, by what is said of them."""
    found: dict[str, list[dict[str, Any]]] = {"nothing": [], "page": [], "listed": []}
    for event in some_of_each():
        event |= {"event_id": str(uuid4()), "organization_id": organization, "occurred_at": AT}
        event["actor"] = event["actor"] | {"id": account}
        event |= {"created_at": AT} if "created_at" in event else {}
        told = uncounted(decoder(TOPIC_BY_TYPE[event["type"]]).decode(to_json(event)))
        found["listed" if told is None else "page" if "page" in told else "nothing"].append(event)
    return found


def folded(world: World, events: list[dict[str, Any]], start: int) -> None:
    client = world.client()
    fold_lines(client, world, [line_of(event) for event in events], start, logged_at=datetime.now(UTC))
    client.close()


def differing(before: Answers, after: Answers) -> list[str]:
    """The questions that are answered otherwise."""
    return [asked for asked, body in before.items() if after[asked] != body]
