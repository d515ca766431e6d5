"""Bad input to the reports: every 400 names the parameter, the value and what is allowed."""

from typing import Any

import httpx
import pytest

from access.keys import READ_ACTIVITY, create_key
from api.usage.endpoints import BETA, REPORTS
from tests.support.api_server import NO_TLS, PREFIX, Served
from tests.support.sdk_reports import METHODS, PRICED
from tests.support.simulated_world import NOW, World

START = {"starting_at": "2026-11-01T00:00:00Z"}
RANGE = START | {"ending_at": "2026-11-08T00:00:00Z"}
MINUTES = {"starting_at": "2026-11-19T00:00:00Z", "ending_at": "2026-11-19T06:00:00Z"}

EVERY: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["starting_at", "missing"]),
    ({"starting_at": "2026-11-01"}, ["starting_at", "'2026-11-01'", "zone"]),
    ({"starting_at": "2026-11-01T00:00:00"}, ["starting_at", "'2026-11-01T00:00:00'", "zone"]),
    (START | {"ending_at": "2026-11-02T00:00:00"}, ["ending_at", "zone"]),
    ({"starting_at": "2026-13-01T00:00:00Z"}, ["starting_at", "'2026-13-01T00:00:00Z'"]),
    ({"starting_at": "2025-11-19T00:00:00Z"}, ["starting_at", "from 2025-11-20T12:00:00Z on"]),
    ({"starting_at": "2026-11-20T12:00:00Z"}, ["starting_at", "before now"]),
    (START | {"ending_at": "2026-11-01T00:00:00Z"}, ["ending_at", "after starting_at"]),
    (START | {"ending_at": "2026-10-01T00:00:00Z"}, ["ending_at", "after starting_at"]),
    (START | {"ending_at": "2026-12-02T00:00:01Z"}, ["ending_at", "744 hours"]),
    (RANGE | {"limit": "0"}, ["limit", "'0'"]),
    (RANGE | {"limit": "x"}, ["limit", "'x'"]),
    (RANGE | {"page": "nonsense"}, ["page", "'nonsense'", "next_page"]),
    (RANGE | {"pages": "x"}, ["pages", "unknown parameter", "starting_at"]),
    (RANGE | {"product": "chat"}, ["product", "unknown parameter", "products[]"]),
    (RANGE | {"products": ["fax"]}, ["products[]", "'fax'", "cowork"]),
    (RANGE | {"models": ["m"] * 101}, ["models[]", "101 values", "at most 100"]),
    (RANGE | {"speeds": ["slow"]}, ["speeds[]", "'slow'", "fast"]),
    (RANGE | {"inference_geos": ["eu"]}, ["inference_geos[]", "'eu'", "not_available"]),
    (RANGE | {"context_windows": ["2M"]}, ["context_windows[]", "'2M'", "200k-1M"]),
    (RANGE | {"claude_tag_categories": ["pm"]}, ["claude_tag_categories[]", "'pm'", "dm"]),
    (RANGE | {"rbac_group_ids": ["x"]}, ["rbac_group_ids[]", "'x'", "rbac_group_01"]),
    (RANGE | {"group_by": ["weather"]}, ["group_by[]", "'weather'", "model"]),
]
SOME: list[tuple[str, dict[str, Any], list[str]]] = [
    ("usage_report", RANGE | {"limit": "32"}, ["limit", "1 to 31"]),
    ("usage_report", RANGE | {"bucket_width": "1h", "limit": "169"}, ["limit", "1 to 168"]),
    ("usage_report", MINUTES | {"bucket_width": "1m", "limit": "257"}, ["limit", "1 to 256"]),
    ("usage_report", RANGE | {"bucket_width": "1w"}, ["bucket_width", "'1w'", "1d"]),
    ("usage_report", RANGE | {"group_by": ["token_type"]}, ["group_by[]", "'token_type'"]),
    ("usage_report", RANGE | {"group_by": ["actor"]}, ["group_by[]", "'actor'"]),
    ("cost_report", RANGE | {"order_by": "amount"}, ["order_by", "unknown parameter"]),
    ("user_usage_report", RANGE | {"limit": "1001"}, ["limit", "1 to 1000"]),
    ("user_usage_report", START | {"bucket_width": "1d"}, ["ending_at", "missing"]),
    ("user_usage_report", RANGE | {"order_by": "amount"}, ["order_by", "'amount'", "total_tokens"]),
    ("user_usage_report", RANGE | {"order": "up"}, ["order", "'up'", "asc, desc"]),
    ("user_usage_report", RANGE | {"user_ids": ["svac_01"]}, ["user_ids[]", "'svac_01'", "user_01"]),
    ("user_cost_report", RANGE | {"exclude_deleted_users": "yes"}, ["exclude_deleted_users", "'yes'", "true"]),
    ("usage", START | {"time_bucket_width": "1d"}, ["ending_at", "missing"]),
    ("usage", RANGE | {"bucket_width": "1d"}, ["bucket_width", "unknown parameter", "time_bucket_width"]),
    ("usage", RANGE | {"exclude_deleted_users": "true"}, ["exclude_deleted_users", "group_by[]=actor"]),
    ("usage", RANGE | {"actor_ids": ["org_01"]}, ["actor_ids[]", "'org_01'", "svac_"]),
    ("usage", RANGE | {"actor_types": ["user"]}, ["actor_types[]", "'user'", "user_actor"]),
    ("usage", RANGE | {"order_by": "amount"}, ["order_by", "'amount'", "time"]),
    ("cost", RANGE | {"group_by": ["actor", "model", "product", "speed", "agent_id", "session_id"]}, ["at most 5"]),
    ("usage", {"starting_at": "2026-11-01T10:10:00Z", "ending_at": "2026-11-01T10:50:00Z"}, ["one whole hour"]),
    ("usage_report", MINUTES | {"starting_at": "2026-11-10T00:00:00Z", "bucket_width": "1m"}, ["kept for 7 days"]),
    ("usage_report", MINUTES | {"bucket_width": "1m", "group_by": ["speed"]}, ["'speed'", "product, model", "7 days"]),
    ("usage_report", MINUTES | {"bucket_width": "1m", "speeds": ["fast"]}, ["speeds[]", "products[], models[]"]),
    ("cost_report", MINUTES | {"bucket_width": "1m"}, ["bucket_width", "'1m'", "1h or 1d", "cost"]),
    ("user_usage_report", MINUTES | {"bucket_width": "1m"}, ["bucket_width", "'1m'", "1h or 1d", "people"]),
    ("usage", RANGE | {"time_bucket_width": "1m"}, ["ending_at", "at most 24 hours"]),
]
CASES = [(method, *case) for method in METHODS for case in EVERY] + SOME


@pytest.mark.parametrize(("method", "parameters", "said"), CASES, ids=str)
def test_a_refusal_says_what_is_wrong(
    served: Served, organization: str, method: str, parameters: dict[str, Any], said: list[str]
) -> None:
    response = served.get(f"{PREFIX}/{method}", served.keys[organization], **parameters)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert [piece for piece in said if piece not in error["message"]] == [], error["message"]
    assert "Allowed" in error["message"]


@pytest.mark.parametrize("method", ["usage", "cost"])
def test_the_newer_reports_need_their_beta(served: Served, organization: str, method: str) -> None:
    def ask(*betas: str) -> httpx.Response:
        headers = [("x-api-key", served.keys[organization]), *(("anthropic-beta", beta) for beta in betas)]
        return httpx.get(
            f"{served.base_url}{PREFIX}/{method}", params=RANGE, headers=headers, timeout=30, verify=NO_TLS
        )

    for betas in ([], ["other-2026-01-01"]):
        response = ask(*betas)
        assert response.status_code == 400
        assert BETA in response.json()["error"]["message"]
    assert ask(f"other-2026-01-01, {BETA}").status_code == 200
    assert ask("other-2026-01-01", BETA).status_code == 200


def test_who_sees_no_spend_gets_usage_and_no_cost(world: World, served: Served) -> None:
    client = world.client()
    _, blind = create_key(client, world.pays_by_use, "blind", NOW, None, scopes=(READ_ACTIVITY,))
    client.close()
    for report in REPORTS:
        response = served.get(f"{PREFIX}/{report.name}", blind, **RANGE)
        if report.name in PRICED:
            assert (response.status_code, response.json()["error"]["type"]) == (403, "permission_error")
        else:
            assert response.json()["data"]
            assert not any(word in response.text for word in ("amount", "cents", "USD", "price"))


def test_a_blank_in_a_zone_is_a_plus(served: Served, organization: str) -> None:
    """As a client that does not escape it sends it."""
    key = served.keys[organization]
    path = f"{PREFIX}/usage_report"
    offset = served.get(path, key, starting_at="2026-11-01T02:00:00 02:00", ending_at="2026-11-03T00:00:00Z")
    utc = served.get(path, key, starting_at="2026-11-01T00:00:00Z", ending_at="2026-11-03T00:00:00Z")
    assert offset.json()["data"] == utc.json()["data"]
    assert len(utc.json()["data"]) == 2
