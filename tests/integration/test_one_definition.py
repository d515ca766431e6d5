"""One opinion of who somebody is, on every surface that shows it."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from access.roles import members_by_email, read_person
from pricing.price_table import load_prices
from queries.paging import Ranking
from reports.claude_code.day import read_day
from reports.exports.formats import focus_form, spend_format
from reports.exports.spend_columns import CLAUDE_2026_10, DAILY
from reports.metrics import open_context
from reports.metrics.people import name_people
from reports.periods import one_day
from reports.presence.emails import read_emails
from reports.usage.rows import read_people
from tally_client.events import DIRECTORY, PROFILES, SESSION, TOKEN
from tests.support.directory_log import ACME, ADA, ELEVEN, NOON, Log, profile, says
from tests.support.table_rows import database

pytestmark = pytest.mark.slow

DAY = date(2026, 11, 27)
PLAN: dict[str, Any] = {"plan": "enterprise_usage_based", "effective_from": "2026-11-01T00:00:00Z"}
TOKENS: dict[str, Any] = {
    "funding": "usage_based",
    "request_id": "r",
    "model": "claude-opus-5-5",
    "output_tokens": 1000,
}
ACTOR: dict[str, Any] = {"actor": {"type": "user", "id": ADA}, "product": "claude_code"}
EMAIL = "ada@a.example"


def _cells(form: str, column: str) -> Callable[[Client], str]:
    """An e-mail as an export of the day has it."""

    def read(client: Client) -> str:
        sink = io.BytesIO()
        forms = {"daily": spend_format(DAILY), "claude": spend_format(CLAUDE_2026_10), "focus": focus_form(".csv")}
        forms[form].write(client, ACME, one_day(DAY), sink, None)
        (row,) = csv.DictReader(io.StringIO(sink.getvalue().decode(), newline=""))
        return row[column]

    return read


SURFACES: dict[str, Callable[[Client], str]] = {
    "spend report": _cells("daily", "user_email"),
    "spend report, claude-2026-10": _cells("claude", "user_email"),
    "FOCUS": _cells("focus", "ResourceName"),
    "list of users": lambda client: {str(who): mail for who, mail in read_emails(client, ACME).items()}.get(ADA, ""),
    "usage and cost by person": lambda client: read_people(client, ACME, [ADA])[ADA].email,
    "pages and rankings": lambda client: (
        name_people(open_context(client, ACME, [], timedelta()), [ADA])[ADA].email or ""
    ),
    "Claude Code's report": lambda client: str(read_day(client, ACME, DAY, Ranking(limit=10))[0]["email"]),
    "session of a browser": lambda client: read_person(client, ACME, ADA, datetime(2026, 12, 1, tzinfo=UTC)).email,
    "sign-in by e-mail": lambda client: EMAIL if ADA in members_by_email(client, ACME, EMAIL) else "",
    "the view people": lambda client: "".join(row[0] for row in client.query("SELECT email FROM people").result_rows),
}


@pytest.fixture
def log(clickhouse: str) -> Iterator[Log]:
    log = Log(database(clickhouse))
    load_prices(log.client)
    log.put(DIRECTORY, 0, says("plan.changed", **PLAN), says("member.joined", account_id=ADA))
    log.put(PROFILES, 0, profile(EMAIL))
    log.put(TOKEN, 0, says("token.used", **TOKENS, **ACTOR))
    log.put(SESSION, 0, says("session.activity", session_id=ADA, tool_uses=1, **ACTOR))
    yield log
    log.client.close()


def test_every_surface_shows_a_person_alike(log: Log) -> None:
    def shown() -> dict[str, str]:
        return {surface: read(log.client) for surface, read in SURFACES.items()}

    named, nobody = dict.fromkeys(SURFACES, EMAIL), dict.fromkeys(SURFACES, "")
    assert shown() == named
    log.put(DIRECTORY, 0, says("account.deleted", at=ELEVEN, account_id=ADA))
    assert shown() == nobody, "deleted, and not forgotten yet"
    log.put(PROFILES, 0, ADA)
    assert shown() == nobody, "deleted and forgotten"
    log.put(DIRECTORY, 0, says("member.joined", at=NOON, account_id=ADA))
    assert shown() == nobody, "given an account again, and nothing told since"
    log.put(PROFILES, 0, profile(EMAIL, NOON))
    assert shown() == named, "provisioned again"
    log.put(PROFILES, 3, ADA)
    assert shown() == nobody, "forgotten, and not deleted"
    log.put(DIRECTORY, 0, says("member.removed", at="2026-11-28T00:00:00Z", account_id=ADA))
    log.put(PROFILES, 0, profile(EMAIL, "2026-11-30T13:00:00Z"), seconds=7200)
    members_only = {"sign-in by e-mail": ""}
    assert shown() == named | members_only, "a former member of whom the organization told since"
    people = read_people(log.client, ACME, [ADA])
    assert (people[ADA].has_left, people[ADA].is_deleted) == (True, False)
