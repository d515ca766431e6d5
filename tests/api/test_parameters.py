"""Bad input: every 400 names the parameter, the value and what is allowed."""

from typing import Any

import pytest

from api.errors import BadRequest
from api.tagged_ids import GROUP, PROJECT, USER, tagged, untagged
from tests.support.api_server import PREFIX, Served

USERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["date or starting_date", "missing", "2026-11-19"]),
    ({"date": "2026-13-01"}, ["date:", "'2026-13-01'", "YYYY-MM-DD"]),
    ({"date": "20261101"}, ["'20261101'", "YYYY-MM-DD"]),
    ({"date": "2026-11-01T00:00:00"}, ["'2026-11-01T00:00:00'", "YYYY-MM-DD"]),
    ({"date": "2026-11-20"}, ["date:", "'2026-11-20'", "newest complete day", "2026-11-19"]),
    ({"date": "2024-12-31"}, ["date:", "'2024-12-31'", "2025-01-01 or later"]),
    ({"date": "2026-11-01", "starting_date": "2026-11-01"}, ["not both"]),
    ({"ending_date": "2026-11-01"}, ["ending_date", "only together with starting_date"]),
    ({"starting_date": "2026-11-20"}, ["starting_date", "'2026-11-20'", "2026-11-19"]),
    ({"starting_date": "2026-11-02", "ending_date": "2026-11-02"}, ["ending_date", "after starting_date"]),
    ({"starting_date": "2026-11-02", "ending_date": "2026-11-21"}, ["'2026-11-21'", "at most 2026-11-20"]),
    ({"starting_date": "2025-11-01", "ending_date": "2026-11-19"}, ["ending_date", "366 days"]),
    ({"starting_date": "2026-11-02", "ending_date": "0001-01-01"}, ["ending_date", "after starting_date"]),
    ({"starting_date": "0001-01-01", "ending_date": "0001-01-01"}, ["ending_date", "after starting_date"]),
    ({"starting_date": "0001-01-01", "ending_date": "9999-12-31"}, ["starting_date", "2025-01-01 or later"]),
    ({"starting_date": "9999-12-31", "ending_date": "9999-12-31"}, ["ending_date", "after starting_date"]),
    ({"starting_date": "2026-11-02", "ending_date": "9999-12-31"}, ["ending_date", "9999-12-31"]),
    ({"starting_date": "9999-12-31"}, ["starting_date", "9999-12-31"]),
    ({"date": "9999-12-31"}, ["date", "9999-12-31"]),
    ({"date": "0001-01-01"}, ["date", "2025-01-01 or later"]),
    ({"date": "2026-11-01", "limit": "0"}, ["limit", "'0'", "1 to 1000"]),
    ({"date": "2026-11-01", "limit": "1001"}, ["limit", "'1001'"]),
    ({"date": "2026-11-01", "limit": "ten"}, ["limit", "'ten'"]),
    ({"date": "2026-11-01", "limit": ["1", "2"]}, ["limit", "at most 1"]),
    ({"date": "2026-11-01", "order": "up"}, ["order", "'up'", "asc, desc"]),
    ({"date": "2026-11-01", "order_by": "messages"}, ["order_by", "'messages'", "email_address", "web_search_count"]),
    ({"date": "2026-11-01", "group_by": ["user_id"]}, ["group_by[]", "'user_id'", "rbac_group_id"]),
    ({"date": "2026-11-01", "filter": ["product:chat"]}, ["filter[]", "'product:chat'", "project_id"]),
    ({"date": "2026-11-01", "filter": ["user_id"]}, ["filter[]", "dimension:value"]),
    ({"date": "2026-11-01", "filter": ["user_id:"]}, ["filter[]", "dimension:value"]),
    ({"date": "2026-11-01", "filter": ["user_id:user_01zzz"]}, ["user_id", "'user_01zzz'", "user_01..."]),
    ({"date": "2026-11-01", "filter": ["user_id:1; DROP TABLE x"]}, ["DROP TABLE", "a UUID"]),
    ({"date": "2026-11-01", "filter": ["user_id:x"] * 101}, ["filter[]", "101 values", "at most 100"]),
    ({"date": "2026-11-01", "page": "nonsense"}, ["page", "'nonsense'", "next_page"]),
    ({"date": "2026-11-01", "page": ""}, ["page", "''", "a value"]),
    ({"date": "2026-11-01", "order_by": ""}, ["order_by", "''", "a value"]),
    ({"date": ""}, ["date", "''", "a value"]),
    ({"date": "2026-11-01", "dates": "x"}, ["dates", "unknown parameter", "starting_date"]),
]
OTHERS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("summaries", {}, ["date", "missing"]),
    ("summaries", {"date": "2026-11-01"}, ["date", "unknown parameter", "starting_date"]),
    ("summaries", {"starting_date": "2026-11-01", "page": "x"}, ["page", "next_page is null"]),
    ("summaries", {"starting_date": "2026-11-01", "limit": "x"}, ["limit", "'x'"]),
    ("artifacts", {"date": "2026-11-01", "limit": "-2.2e-308"}, ["limit", "'-2.2e-308'", "1 to 1000"]),
    ("summaries", {"starting_date": "2026-11-01", "filter": ["user_id:x"]}, ["filter[]", "rbac_group_id"]),
    ("artifacts", {"starting_date": "2026-11-01"}, ["starting_date", "unknown parameter", "date"]),
    ("artifacts", {"date": "2026-11-01", "filter": ["is_shared:maybe"]}, ["is_shared", "'maybe'", "true, false"]),
    ("artifacts", {"date": "2026-11-01", "filter": ["artifact_type:text/x"]}, ["'text/x'", "text/markdown"]),
    ("connectors", {"date": "2026-11-01", "filter": ["product:science"]}, ["'science'", "office_agent"]),
    ("plugins", {"date": "2026-11-01", "filter": ["product:chat"]}, ["'chat'", "claude_code, cowork"]),
    ("skills", {"date": "2026-11-01", "filter": ["share_status:none"]}, ["'none'", "organization, private, public"]),
    ("skills", {"date": "2026-11-01", "filter": [f"skill_name:{'x' * 513}"]}, ["skill_name", "512"]),
    ("apps/chat/projects", {"date": "2026-11-01", "group_by": ["product"]}, ["group_by[]", "rbac_group_id, user_id"]),
]
CASES = [("users", *case) for case in USERS] + OTHERS


@pytest.mark.parametrize(("path", "parameters", "said"), CASES, ids=str)
def test_a_refusal_says_what_is_wrong(
    served: Served, organization: str, path: str, parameters: dict[str, Any], said: list[str]
) -> None:
    response = served.get(f"{PREFIX}/{path}", served.keys[organization], **parameters)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert [piece for piece in said if piece not in error["message"]] == [], error["message"]
    assert "Allowed:" in error["message"]


def test_a_project_goes_with_no_group(served: Served, organization: str) -> None:
    project = f"project_id:{tagged(PROJECT, '0' * 8 + '-0000-4000-8000-' + '0' * 12)}"
    for more in ({"group_by": ["rbac_group_id"]}, {"filter": [project, f"rbac_group_id:{tagged(GROUP, GREATEST)}"]}):
        asked = {"date": "2026-11-01", "filter": [project], **more}
        response = served.get(f"{PREFIX}/users", served.keys[organization], **asked)
        assert response.status_code == 400
        assert "project_id" in response.json()["error"]["message"]


NIL = "00000000-0000-0000-0000-000000000000"
GREATEST = "ffffffff-ffff-ffff-ffff-ffffffffffff"


@pytest.mark.parametrize(
    "uuid", ["00000000-0000-0000-0000-000000000001", GREATEST, "9a5d764c-9bbc-43eb-a7c1-77075a16d2b2"]
)
@pytest.mark.parametrize("prefix", [USER, GROUP, PROJECT])
def test_ids_go_out_and_come_back(prefix: str, uuid: str) -> None:
    assert tagged(prefix, uuid).startswith(f"{prefix}01")
    assert untagged("x", prefix, tagged(prefix, uuid)) == uuid == untagged("x", prefix, uuid.upper())


NO_IDS = (
    *("", "user_", "user_01", "user_01" + "z" * 22, "user_01" + "0" * 22, "rbac_group_01" + "1" * 22),
    *(NIL, f"{{{NIL}}}", tagged(USER, NIL), f"{GREATEST}\n", f"{GREATEST[:-1]}\n", GREATEST.replace("-", "")),
)


@pytest.mark.parametrize("text", NO_IDS)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="user_01"):
        untagged("filter[]=user_id", USER, text)
