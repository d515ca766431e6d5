"""What skills cost: equal to a recount in every cut, adding up to what was paid, in any order, for who may see it."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from api.tagged_ids import GROUP, USER, tagged
from pricing.price_table import load_prices
from simulation import Plan
from tests.reference.engagement import Recount
from tests.reference.model.money import units
from tests.reference.skill_spend import Share, cells_of, shares
from tests.support.api_server import PREFIX, Served, context_of, make_keys, serve
from tests.support.group_events import GROUPS
from tests.support.price_files import write_prices
from tests.support.sdk_walk import FIRST, LAST, RANGE, walk
from tests.support.simulated_world import UNTIL, World, fold_lines, line_of, priced_world

pytestmark = pytest.mark.slow

MONEY = ("attributed_list_price", "estimated_overage_spend")
CUTS: list[dict[str, Any]] = [
    {},
    {"group_by": ["product"]},
    {"group_by": ["user_id"]},
    {"group_by": ["rbac_group_id", "user_id"]},
    {"groups": GROUPS[:2]},
    {"products": ["cowork", "claude_code"], "group_by": ["product"]},
]
Key = tuple[str, str, str, str]


def cut(recount: Recount, organization: str, found: Iterable[Share], how: dict[str, Any]) -> dict[Key, list[Any]]:
    """(skill, product, user, group) to units at list price and paid."""
    by, groups = how.get("group_by", ()), set(how.get("groups", ()))
    sums: dict[Key, list[Any]] = defaultdict(lambda: [0, 0])
    for share in found:
        if how.get("products") and share.product not in how["products"]:
            continue
        held = recount.groups_on(organization, share.account, share.day) if groups or "rbac_group_id" in by else {""}
        held &= groups or held
        for group in held if "rbac_group_id" in by else ({""} if held else set()):
            product = share.product if "product" in by else ""
            user = tagged(USER, share.account) if "user_id" in by else ""
            row = sums[share.skill, product, user, group and tagged(GROUP, group)]
            row[0], row[1] = row[0] + share.listed, row[1] + share.paid
    return dict(sums)


def rows_of(served: Served, key: str, how: dict[str, Any]) -> list[dict[str, Any]]:
    filters = [f"rbac_group_id:{group}" for group in how.get("groups", ())]
    filters += [f"product:{product}" for product in how.get("products", ())]
    asked: dict[str, Any] = {"filter": filters, "group_by": how.get("group_by", [])}
    return walk(served, key, "skills", **RANGE, limit=50, **{name: given for name, given in asked.items() if given})


def money_of(rows: list[dict[str, Any]]) -> dict[Key, list[Any]]:
    """The rows in the recount's terms, those without any left out."""
    found: dict[Key, list[Any]] = {}
    for row in rows:
        assert row["currency"] == "USD"
        price, overage = (units(Fraction(row[name]) / 100) for name in MONEY)
        key = (row["skill_name"], row["product"] or "", row["user_id"] or "", row["rbac_group_id"] or "")
        if price or overage:
            found[key] = [price, overage]
    return found


@pytest.mark.parametrize("how", CUTS, ids=str)
def test_equals_a_recount(served: Served, world: World, recount: Recount, how: dict[str, Any]) -> None:
    for organization in world.organizations[: 3 if not how else 1]:
        expected = cut(recount, organization, shares(recount, organization, FIRST, LAST), how)
        rows = rows_of(served, served.keys[organization], how)
        assert money_of(rows) == {key: money for key, money in expected.items() if any(money)}
        assert {row["skill_name"] for row in rows} >= {key[0] for key in expected}
        assert expected


def test_the_recount_notices_what_is_wrong(served: Served, recount: Recount, organization: str) -> None:
    """Controls: a unit of 10^-24 USD with another skill, a request without its skill, a token more."""
    found = money_of(rows_of(served, served.keys[organization], {}))
    right = list(shares(recount, organization, FIRST, LAST))
    paid = next(number for number, share in enumerate(right) if share.paid)
    other = next(number for number, share in enumerate(right) if share.skill != right[paid].skill)
    moved = list(right)
    moved[paid], moved[other] = (
        right[number]._replace(paid=(right[number].paid or 0) + step) for number, step in ((paid, -1), (other, 1))
    )
    assert cut(recount, organization, right, {}) == found | {
        key: money for key, money in cut(recount, organization, right, {}).items() if not any(money)
    }
    for wrong in (moved, right[:paid] + right[paid + 1 :]):
        assert {key: money for key, money in cut(recount, organization, wrong, {}).items() if any(money)} != found
    chosen = next(event for event in recount.events if is_with_skill(event, organization))
    changes: list[dict[str, Any]] = [{"attribution": {}}, {"output_tokens": chosen.get("output_tokens", 0) + 1}]
    for change in changes:
        changed = Recount([event | change if event is chosen else event for event in recount.events])
        assert cut(changed, organization, shares(changed, organization, FIRST, LAST), {}) != found


def is_with_skill(event: dict[str, Any], organization: str) -> bool:
    if event["type"] != "token.used" or event["organization_id"] != organization or event["actor"]["type"] != "user":
        return False
    return bool((event.get("attribution") or {}).get("skills")) and "2026-11-1" in event["occurred_at"]


def test_skills_add_up_to_what_was_paid(served: Served, world: World, recount: Recount) -> None:
    """A request with several skills is paid once, though each of them has its whole list price."""
    organization = world.organizations[0]
    several = [skills for _, skills in cells_of(recount, organization, FIRST, LAST) if len(skills) > 2]
    assert several
    for how in (how for how in CUTS if "groups" not in how and "rbac_group_id" not in how.get("group_by", ())):
        rows = money_of(rows_of(served, served.keys[organization], how))
        whole = [
            share
            for share in shares(recount, organization, FIRST, LAST)
            if not how.get("products") or share.product in how["products"]
        ]
        assert sum(money[1] for money in rows.values()) == sum(share.paid or 0 for share in whole)


@pytest.mark.parametrize("order_by", MONEY)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_in_order_of_money(served: Served, organization: str, order_by: str, order: str) -> None:
    asked = {**RANGE, "order_by": order_by, "order": order, "limit": 3}
    ranks = [Decimal(row[order_by]) for row in walk(served, served.keys[organization], "skills", **asked)]
    assert ranks == sorted(ranks, reverse=order == "desc")
    assert len(set(ranks)) > 5


def test_an_unknown_price_is_null_and_a_new_price_ends_a_walk(clickhouse: str, tmp_path: Path) -> None:
    plan = Plan(until=UNTIL, seed=3, organizations=1, users=8, days=10)
    world = priced_world(clickhouse, plan)
    organization = world.organizations[0]
    event = next(event for event in world.events if is_with_skill(event, organization))
    new = {"model": "claude-unheard-of", "attribution": {"skills": ["new-skill"]}}
    new |= {"event_id": str(uuid4()), "occurred_at": "2026-11-17T10:00:00Z"}
    with serve(context_of(world)) as served:
        key, path = make_keys(world)[organization], f"{PREFIX}/skills"
        page = served.get(path, key, starting_date="2026-11-01", limit=1).json()["next_page"]
        client = world.client()
        fold_lines(client, world, [line_of(event | new)], start=1_000_000)
        assert served.get(path, key, starting_date="2026-11-01", limit=1, page=page).status_code == 410
        rows = {row["skill_name"]: row for row in served.get(path, key, starting_date="2026-11-01").json()["data"]}
        page = served.get(path, key, starting_date="2026-11-01", limit=1).json()["next_page"]
        load_prices(client, write_prices(tmp_path))
        client.close()
        assert served.get(path, key, starting_date="2026-11-01", limit=1, page=page).status_code == 410
    assert {name: rows["new-skill"][name] for name in (*MONEY, "currency")} == dict.fromkeys((*MONEY, "currency"))
    assert rows["new-skill"]["distinct_user_count"] == 0
    assert {row["currency"] for name, row in rows.items() if name != "new-skill"} == {"USD"}
