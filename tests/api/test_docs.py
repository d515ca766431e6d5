"""docs/api.md: its examples run, its tables name what is served."""

import re
from pathlib import Path
from typing import Any

import anthropic
import httpx
import msgspec

from api.claude_code import routes
from api.engagement.endpoints import SUMMARY_FILTERS
from api.engagement.routes import LISTS
from api.errors import ErrorBody
from api.usage.endpoints import REPORTS
from tests.support.api_server import PREFIX, Served
from tests.support.code_blocks import code_blocks
from tests.support.sdk_walk import METHODS

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
CLAUDE_CODE = f"{routes.PREFIX}/{routes.NAME}"
ADDRESS = "http://127.0.0.1:8080"


def test_the_python_example_runs(served: Served, organization: str, capsys: Any) -> None:
    (example,) = code_blocks(PAGE, "python")
    exec(example.replace(ADDRESS, served.base_url), {"KEY": served.keys[organization]})
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) > 30
    assert printed[0].startswith("2026-11-01 00:00:00+00:00 ")


def test_the_curl_examples_answer(served: Served, organization: str) -> None:
    commands = re.findall(r'^curl ((?:-H ".*?" )+)"(.*?)"$', PAGE, re.MULTILINE)
    assert len(commands) == 6
    for given, url in commands:
        headers = dict(re.findall(r'"([a-z-]+): (.*?)"', given.replace("$KEY", served.keys[organization])))
        response = httpx.get(url.replace(ADDRESS, served.base_url), headers=headers)
        assert response.status_code == 200
        assert response.json()["data"]


def test_the_refusal_is_what_is_answered(served: Served, organization: str) -> None:
    (example,) = code_blocks(PAGE, "json")
    shown = msgspec.json.decode(example, type=ErrorBody)
    answered = served.get(f"{PREFIX}/users", served.keys[organization], date="2026-11-01", limit="0").json()
    assert answered["error"] == {"type": shown.error.type, "message": shown.error.message}


def test_every_list_stands_there_with_its_filters() -> None:
    rows = {row[1]: row for row in re.findall(r"^(\| `([a-z/]+)` \| .*)$", PAGE, re.MULTILINE)}
    assert all(f"`{name}`" in rows["summaries"][0] for name in SUMMARY_FILTERS)
    for endpoint in LISTS:
        line = rows[endpoint.name][0]
        assert f"`{endpoint.sort}`" in line
        assert [name for name in endpoint.filters if f"`{name}`" not in line] == []


def test_every_report_stands_there_with_its_parameters() -> None:
    section = PAGE.partition("## Usage and cost reports")[2].partition("## Refusals")[0]
    for report in REPORTS:
        assert f"`{report.name}`" in section
        named = {*report.parameters, *report.group_by, *report.orders}
        assert [name for name in sorted(named) if f"`{name}`" not in section] == []


def test_every_method_of_the_sdk_is_served() -> None:
    """Stable and beta; a newer SDK with another method makes this fail."""
    client = anthropic.Anthropic(api_key="x")
    assert sorted(lists_of(client.organization.analytics)) == sorted(METHODS)
    newest = sorted(lists_of(client.beta.organization.analytics))
    assert newest == sorted((*METHODS, *(report.name for report in REPORTS)))
    assert len(newest) + len(METHODS) == 20


def lists_of(resource: Any, prefix: str = "") -> list[str]:
    """The dotted names of everything below that can be listed."""
    found = []
    for name in (name for name in dir(type(resource)) if not name.startswith(("_", "with_"))):
        child = getattr(resource, name)
        if hasattr(child, "list") and type(child).__module__.startswith("anthropic."):
            found.append(prefix + name)
        elif type(child).__module__.startswith("anthropic.resources"):
            found += lists_of(child, f"{prefix}{name}.")
    return found


def test_the_openapi_document_is_of_the_code(served: Served) -> None:
    document = httpx.get(f"{served.base_url}/schema/openapi.json").json()
    served_here = (*LISTS, *REPORTS)
    lists = {f"{PREFIX}/{name}" for name in ("summaries", *(each.name for each in served_here))}
    assert set(document["paths"]) == {*lists, CLAUDE_CODE}
    report = document["paths"][CLAUDE_CODE]["get"]
    assert tuple(parameter["name"] for parameter in report["parameters"]) == routes.PARAMETERS
    for endpoint in served_here:
        operation = document["paths"][f"{PREFIX}/{endpoint.name}"]["get"]
        assert {parameter["name"] for parameter in operation["parameters"]} == set(endpoint.parameters)
        assert {"200", "400", "401", "403", "404", "410", "429", "500", "503"} <= set(operation["responses"])
