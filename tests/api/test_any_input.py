"""Whatever is asked, the answer is a page or a refusal that says why: never a failure of ours."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.engagement.endpoints import SUMMARY_PARAMETERS
from api.engagement.routes import FILTERS, LISTS
from api.usage.endpoints import BETA, REPORTS
from api.usage.filters import EVERYBODYS, PEOPLES
from tests.support.api_server import NO_TLS, PREFIX, Served
from tests.support.group_events import GROUPS

pytestmark = pytest.mark.slow

PARAMETERS = {"summaries": SUMMARY_PARAMETERS} | {endpoint.name: endpoint.parameters for endpoint in (*LISTS, *REPORTS)}
ORDERS = {endpoint.name: (endpoint.sort, *endpoint.metrics) for endpoint in LISTS}
ORDERS |= {report.name: report.orders for report in REPORTS}
REPORT_NAMES = {report.name for report in REPORTS}
ODD = ["", "0", "-1", "null", "\x00", "'", '"', "\\", "\\N", "{x:UInt8}", "%", "é🥭", "\n\t", "a" * 600, "1e999", "[]"]
VALUES: dict[str, Any] = {
    "date": ["2026-11-17", "2026-11-19", "2026-02-30", "0001-01-01", "9999-12-31"],
    "starting_date": ["2026-11-01", "2026-11-19", "2025-12-01", "9999-12-31"],
    "ending_date": ["2026-11-20", "2026-11-02", "0001-01-01", "9999-12-31"],
    "limit": ["1", "1000", "1001", "007", "99999999999999999999"],
    "order": ["asc", "desc", "DESC"],
    "page": ["x", "AAAA", "=" * 9],
    "group_by[]": ["product", "user_id", "rbac_group_id", "actor", "token_type", "session_id"],
    "starting_at": ["2026-11-01T00:00:00Z", "2026-11-19T00:00:00+02:00", "2026-11-01", "9999-12-31T23:59:59-14:00"],
    "ending_at": ["2026-11-20T00:00:00Z", "2026-11-19T02:00:00Z", "0001-01-01T00:00:00+14:00"],
    "bucket_width": ["1d", "1h", "1m"],
    "time_bucket_width": ["1d", "1h", "1m"],
    "exclude_deleted_users": ["true", "false"],
    **{name: ["chat", "fast", "us", "user_actor", "dm", "batch", GROUPS[0]] for name in (*PEOPLES, *EVERYBODYS)},
}
FILTER_VALUES = ["chat", "cowork", "pdf", "atlassian", "true", "public", "text/html", GROUPS[0], "user_01" + "1" * 22]


def requests() -> st.SearchStrategy[tuple[str, list[tuple[str, str]]]]:
    """A route, and parameters that are mostly plausible."""
    return st.sampled_from(sorted(PARAMETERS)).flatmap(
        lambda name: st.tuples(st.just(name), st.lists(parameter(name), max_size=5))
    )


def parameter(name: str) -> st.SearchStrategy[tuple[str, str]]:
    """One parameter of a route, or one that it does not have."""
    return st.sampled_from([*PARAMETERS[name], "nonsense"]).flatmap(
        lambda chosen: st.tuples(st.just(chosen), value(name, chosen))
    )


def value(name: str, chosen: str) -> st.SearchStrategy[str]:
    """A value for it."""
    if chosen == "filter[]":
        entries = st.tuples(st.sampled_from(sorted(FILTERS[name])), st.sampled_from(FILTER_VALUES + ODD))
        return entries.map(":".join)
    if chosen == "order_by":
        return st.sampled_from([*ORDERS[name], *ODD])
    return st.sampled_from(VALUES.get(chosen, []) + ODD) | st.text(max_size=12)


@pytest.fixture(scope="module")
def key(served: Served, organization: str) -> str:
    return served.keys[organization]


@settings(max_examples=250, suppress_health_check=list(HealthCheck), derandomize=True)
@given(asked=requests())
def test_a_page_or_a_reason(served: Served, key: str, asked: tuple[str, list[tuple[str, str]]]) -> None:
    name, parameters = asked
    if name in REPORT_NAMES and "starting_at" not in dict(parameters):
        parameters = [("starting_at", "2026-11-12T00:00:00Z"), *parameters]
    query = "&".join(f"{quote(each)}={quote(text.encode('utf-8', 'surrogatepass'))}" for each, text in parameters)
    headers = {"x-api-key": key, "anthropic-beta": BETA}
    response = httpx.get(f"{served.base_url}{PREFIX}/{name}?{query}", headers=headers, timeout=30, verify=NO_TLS)
    body = response.json()
    assert response.status_code in (200, 400), body
    if response.status_code == 400:
        assert body["error"]["type"] == "invalid_request_error"
        assert "Allowed:" in body["error"]["message"]
    else:
        assert isinstance(body["data"], list)
        assert "next_page" in body


@pytest.mark.parametrize("path", ["/v1/organizations/analytics/users/%00", "/%ff", "//", "/v1/../schema", "/schema"])
def test_odd_paths_are_no_failure(served: Served, key: str, path: str) -> None:
    assert httpx.get(served.base_url + path, headers={"x-api-key": key}).status_code < 500


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd and len(odd) < 512])
def test_odd_names_find_nothing_and_harm_nothing(served: Served, key: str, odd: str) -> None:
    for endpoint, dimension in (("connectors", "connector_name"), ("skills", "skill_name"), ("plugins", "plugin_name")):
        answer = served.get(f"{PREFIX}/{endpoint}", key, date="2026-11-17", filter=[f"{dimension}:{odd}"])
        assert (answer.status_code, answer.json()["data"]) == (200, []), odd
