"""Every answer that a viewer of an organization can have: all routes with all they take, figures, lists, exports.

Two worlds, or one world before and after a change, are equal to a viewer if and only if these are.
"""

import io
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx

from api.app import make_app
from api.claude_code import routes
from api.dashboard.page_context import DETAILS, PAGES
from api.dashboard.pages.people import OF
from api.engagement.routes import FILTERS, LISTS
from api.engagement.routes import PREFIX as ANALYTICS
from api.usage.endpoints import REPORTS
from reports.exports.formats import FOCUS_SUFFIXES, focus_form, spend_format
from reports.exports.spend_columns import LAYOUTS
from reports.periods import Period
from tests.support.api_server import Served, context_of
from tests.support.route_table import handlers
from tests.support.simulated_world import World

FIRST, LAST, ENDS = "2026-10-22", "2026-11-19", "2026-11-20"
SPAN = {"starting_at": f"{FIRST}T00:00:00Z", "ending_at": f"{ENDS}T00:00:00Z"}
CLAUDE_CODE = f"{routes.PREFIX}/{routes.NAME}"
CONNECTOR = "notion"
CURSOR = re.compile(rb'"next_page":"([^"]+)"')

Asked = tuple[str, Mapping[str, Any]]
Answers = dict[str, bytes]


def questions(world: World) -> Iterator[Asked]:
    """(path, parameters) of every route of analytics, by each dimension, and by a value of each filter."""
    known = {f"{ANALYTICS}/{name}" for name in FILTERS} | {CLAUDE_CODE}
    paths = {path for path, _ in handlers(make_app(context_of(world)).app)}
    assert paths == known, "a route that is asked nothing here"
    yield f"{ANALYTICS}/summaries", {"starting_date": FIRST}
    yield from ((CLAUDE_CODE, {"starting_at": day, "limit": 1000}) for day in ("2026-11-16", "2026-11-17"))
    for endpoint in LISTS:
        path = f"{ANALYTICS}/{endpoint.name}"
        days: dict[str, Any] = (
            {"starting_date": FIRST} if "starting_date" in endpoint.parameters else {"date": "2026-11-17"}
        )
        days |= {"limit": 1000}
        yield path, days
        yield from ((path, days | {"group_by[]": dimension}) for dimension in endpoint.group_by)
        if "order_by" in endpoint.parameters:
            yield path, days | {"order_by": endpoint.metrics[-1]}
    for report in REPORTS:
        path, many = f"{ANALYTICS}/{report.name}", {"limit": 1000 if report.metrics else 31}
        hours = {"starting_at": "2026-11-17T05:00:00Z", "ending_at": "2026-11-18T07:00:00Z", report.width: "1h"}
        yield path, SPAN | many
        yield path, hours
        for first in range(0, len(report.group_by), 5):
            yield path, SPAN | many | {"group_by[]": list(report.group_by[first : first + 5])}
        for name, each in report.filters.items():
            yield from ((path, SPAN | many | {name: value}) for value in each.choices[:1])


def pages(organization: str, account: str) -> Iterator[Asked]:
    """(path, parameters) of every figure as CSV, and of the people behind every number, of the dashboard."""
    base = f"/organizations/{organization}"
    subjects = {"account": account, "connector": CONNECTOR}
    for page in (*PAGES, *DETAILS):
        of = {page.parameter: subjects[page.parameter]} if page.parameter else {}
        for maker in page.makers:
            yield f"{base}/{page.name}/{maker.name}.csv", of
    for kind in OF:
        of = {"connector": CONNECTOR} if kind == "connector" else {}
        yield f"{base}/people", {"of": kind, "first": "2026-11-13", "last": LAST} | of


def answers(client: httpx.Client, asked: Iterator[Asked]) -> Answers:
    """What is answered, by question: the bodies of all pages, or the status of a refusal. No body differs from request
    to request but for its cursor, which is sealed anew each time."""

    def answer(question: Asked) -> tuple[str, bytes]:
        path, parameters = question
        return f"{path} {dict(parameters)}", _bodies(client, path, parameters)

    with ThreadPoolExecutor(4) as pool:
        return dict(pool.map(answer, asked))


def _bodies(client: httpx.Client, path: str, parameters: Mapping[str, Any]) -> bytes:
    response = client.get(path, params=dict(parameters))
    if response.status_code != 200:
        return str(response.status_code).encode()
    cursor = CURSOR.search(response.content)
    if cursor is None:
        return response.content
    further = _bodies(client, path, {**parameters, "page": cursor[1].decode()})
    return response.content.replace(cursor[1], b"") + further


def exports(world: World, organization: str, period: Period) -> Answers:
    """Every file that the organization can be given, in every layout."""
    forms = {f"spend {layout}": spend_format(each) for layout, each in LAYOUTS.items()}
    forms |= {f"focus{suffix}": focus_form(suffix) for suffix in FOCUS_SUFFIXES if suffix == ".csv"}
    found: Answers = {}
    with closing(world.client()) as client:
        for name, form in forms.items():
            sink = io.BytesIO()
            form.write(client, organization, period, sink, None)
            found[name] = sink.getvalue()
    return found


def with_key(served: Served, key: str) -> httpx.Client:
    """A client of whoever has this key, for the API and the dashboard alike."""
    from tests.support.api_server import HEADERS

    return httpx.Client(base_url=served.base_url, headers=HEADERS | {"x-api-key": key}, timeout=60)
