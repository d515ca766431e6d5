"""Of two spellings of a connector the name that was saved last shows and finds; different connectors stay apart."""

from typing import Any
from uuid import uuid4

from deploy.simulation import Plan
from tests.api.server import PREFIX, context_of, make_keys, serve
from tests.api.world import UNTIL, fold_lines, line_of, priced_world

DAY = "2026-11-12"
PLAN = Plan(until=UNTIL, seed=3, organizations=1, users=4, days=5)


def saved(organization: str, hour: int, name: str, display_name: str) -> dict[str, Any]:
    envelope = {"event_id": str(uuid4()), "occurred_at": f"{DAY}T{hour:02}:00:00Z", "organization_id": organization}
    return {**envelope, "type": "connector.saved", "name": name, "display_name": display_name}


def called(organization: str, name: str) -> dict[str, Any]:
    actor = {"type": "user", "id": str(uuid4())}
    envelope = {"event_id": str(uuid4()), "occurred_at": f"{DAY}T10:00:00Z", "organization_id": organization}
    return {**envelope, "type": "connector.called", "name": name, "actor": actor, "product": "chat"}


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
