"""Of two spellings of a connector, skill or plugin the name that was saved last shows and finds; different ones stay
apart."""

from typing import Any
from uuid import uuid4

import pytest

from simulation import Plan
from tests.support.api_server import PREFIX, context_of, make_keys, serve
from tests.support.simulated_world import UNTIL, fold_lines, line_of, priced_world

pytestmark = pytest.mark.slow

DAY = "2026-11-12"
PLAN = Plan(until=UNTIL, seed=3, organizations=1, users=4, days=5)


def entry(kind: str, organization: str, hour: int, name: str, **fields: Any) -> dict[str, Any]:
    envelope = {"event_id": str(uuid4()), "occurred_at": f"{DAY}T{hour:02}:00:00Z", "organization_id": organization}
    return {**envelope, "type": kind, "name": name, **fields}


def saved(organization: str, hour: int, name: str, display_name: str) -> dict[str, Any]:
    return entry("connector.saved", organization, hour, name, display_name=display_name)


def called(organization: str, name: str) -> dict[str, Any]:
    return used("connector.called", organization, name)


def used(kind: str, organization: str, name: str) -> dict[str, Any]:
    actor = {"type": "user", "id": str(uuid4())}
    return entry(kind, organization, 10, name, actor=actor, product="cowork")


def test_the_newest_name_shows_and_finds_and_nothing_else_is_merged(clickhouse: str) -> None:
    world = priced_world(clickhouse, PLAN)
    organization = world.organizations[0]
    events = [
        # the greater raw name is the older one, and the other way around; then of one instant, as the log has them
        *(saved(organization, 8, "mcp-zeta", "Zeta (old)"), saved(organization, 9, "zeta", "Zeta Cloud")),
        *(saved(organization, 9, "mcp-yota", "Yota Cloud"), saved(organization, 8, "yota", "Yota (old)")),
        *(saved(organization, 9, "xi (MCP)", "Xi (old)"), saved(organization, 9, "XI", "Xi Cloud")),
        *(called(organization, name) for name in ("zeta", "Yota MCP", "xi", "SQL Server", "SQL", "Oracle Integration")),
        *(called(organization, name) for name in ("MCP Server", "Server", "MCP", "   ", "...")),
    ]
    client = world.client()
    fold_lines(client, world, [line_of(event) for event in events], start=1_000_000)
    client.close()
    with serve(context_of(world)) as served:
        key, path = make_keys(world)[organization], f"{PREFIX}/connectors"
        rows = {row["connector_name"]: row for row in served.get(path, key, date=DAY, limit=1000).json()["data"]}
        shown = {name: rows[name]["connector_display_name"] for name in ("zeta", "yota", "xi")}
        assert shown == {"zeta": "Zeta Cloud", "yota": "Yota Cloud", "xi": "Xi Cloud"}
        for name, display in [*shown.items(), (None, "Zeta (old)")]:
            wanted = {"date": DAY, "filter[]": f"connector_name:{display.upper()}"}
            found = served.get(path, key, **wanted).json()["data"]
            assert [row["connector_name"] for row in found] == ([name] if name else [])
        calls = {name: row["invocation_count"] for name, row in rows.items()}
        assert {name: calls[name] for name in ("sql_server", "sql", "oracle_integration", "mcp")} == {
            **dict.fromkeys(("sql_server", "sql", "oracle_integration"), 1),
            "mcp": 5,
        }


def test_case_and_blanks_make_no_other_skill_or_plugin(clickhouse: str) -> None:
    world = priced_world(clickhouse, PLAN)
    organization = world.organizations[0]

    def skill(hour: int, name: str, display_name: str, share_status: str) -> dict[str, Any]:
        return entry("skill.saved", organization, hour, name, display_name=display_name, share_status=share_status)

    old, new = str(uuid4()), str(uuid4())
    cost = {"model": "claude-opus-5-5", "funding": "usage_based", "request_id": "r", "output_tokens": 1000}
    request = used("token.used", organization, "") | cost
    events = [
        # the spelling that comes first among them is the newest one, and for plugins the last one is
        *(skill(9, "Sheet-Maker", "Sheets", "public"), skill(8, "sheet-maker ", "Sheets (old)", "private")),
        entry("plugin.saved", organization, 8, "Linter", plugin_id=old),
        entry("plugin.saved", organization, 9, " LINTER", plugin_id=new),
        *(
            used("skill.used", organization, name)
            for name in ("sheet-maker", "SHEET-MAKER", " Sheet-maker\u00a0", "sheet maker")
        ),
        *(used("plugin.used", organization, name) for name in ("linter", "Linter", "LINTER ", "lint er")),
        request | {"attribution": {"skills": ["sheet-maker", "Sheet-Maker", "sheet maker"]}},
    ]
    client = world.client()
    fold_lines(client, world, [line_of(event) for event in events], start=1_000_000)
    client.close()
    with serve(context_of(world)) as served:
        key = make_keys(world)[organization]

        def rows(kind: str, *filters: str) -> dict[str, dict[str, Any]]:
            asked = {"date": DAY, "limit": 1000} | ({"filter[]": list(filters)} if filters else {})
            return {row[f"{kind}_name"]: row for row in served.get(f"{PREFIX}/{kind}s", key, **asked).json()["data"]}

        skills, plugins = rows("skill"), rows("plugin")
        told = skills["Sheet-Maker"]
        assert (told["invocation_count"], told["skill_display_name"], told["share_status"]) == (3, "Sheets", "public")
        assert (skills["sheet maker"]["invocation_count"], skills["sheet maker"]["skill_display_name"]) == (1, None)
        assert told["attributed_list_price"] == skills["sheet maker"]["attributed_list_price"] == "2"
        assert (plugins["LINTER"]["invocation_count"], plugins["lint er"]["invocation_count"]) == (3, 1)
        assert plugins["LINTER"]["plugin_id"] == new
        for name in ("sheet-maker", " SHEET-maker ", "sheets"):
            assert list(rows("skill", f"skill_name:{name}")) == ["Sheet-Maker"]
        assert (
            rows("skill", "skill_name:Sheets (old)")
            == rows("skill", "skill_name:sheet-maker", "share_status:private")
            == {}
        )
        assert list(rows("skill", "skill_name:sheet-maker", "share_status:public")) == ["Sheet-Maker"]
        assert list(rows("plugin", "plugin_name:linTer")) == ["LINTER"]
