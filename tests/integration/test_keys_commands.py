"""`tally keys`: a key is shown once, listed without its secret, and ends at once."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from access.keys import cursor_secret, ensure_cursor_secret, find_key
from cli.main import run
from deploy.connections import report_client
from deploy.database import prepare_database
from deploy.errors import ExitCode
from deploy.settings import Settings
from tests.support.table_rows import Cell, insert_cells

ORGANIZATION = "aaaaaaaa-0000-4000-8000-000000000001"
OTHER = "aaaaaaaa-0000-4000-8000-000000000002"


@pytest.fixture
def settings(clickhouse: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """Settings of a fresh database that knows two organizations; the environment names it."""
    for variable in [name for name in os.environ if name.upper().startswith("TALLY_")]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALLY_CLICKHOUSE_URL", clickhouse)
    monkeypatch.setenv("TALLY_CLICKHOUSE_DATABASE", f"keys_{uuid4().hex}")
    settings = Settings()
    prepare_database(settings)
    client = report_client(settings)
    hour = settings.clock().replace(minute=0, second=0, microsecond=0)
    insert_cells(client, [Cell(organization, hour, ORGANIZATION) for organization in (ORGANIZATION, OTHER)])
    client.close()
    return settings


Tally = Callable[..., str]


@pytest.fixture
def tally(settings: Settings, capsys: pytest.CaptureFixture[str]) -> Tally:
    """Runs a command that must succeed; what it printed."""

    def command(*arguments: str) -> str:
        assert run(arguments) == ExitCode.OK, capsys.readouterr().err
        return capsys.readouterr().out.strip()

    return command


def test_a_key_is_made_listed_and_ended(settings: Settings, tally: Tally) -> None:
    text = tally("keys", "create", "--organization", ORGANIZATION.upper(), "--name", "monthly report")
    few = ("--days", "7", "--without-spend", "--json")
    made = json.loads(tally("keys", "create", "--organization", OTHER, "--name", "x", *few))
    assert made["scopes"] == ["read:analytics.activity"]
    client = report_client(settings)
    key = find_key(client, text)
    assert key is not None
    assert (key.organization_id, key.name, key.scopes) == (ORGANIZATION, "monthly report", ["read:analytics"])
    assert key.expires_at is not None
    assert round((key.expires_at - key.created_at).total_seconds()) == 365 * 86_400
    listed = tally("keys", "list", "--json")
    assert [one["standing"] for one in json.loads(listed)] == ["active", "active"]
    assert [one["id"] for one in json.loads(tally("keys", "list", "--organization", OTHER, "--json"))] == [made["id"]]
    shown = tally("keys", "list")
    assert key.id in shown
    assert text[19:] not in listed + shown
    assert "was revoked" in tally("keys", "revoke", key.id)
    ended = find_key(client, text)
    assert ended is not None
    assert ended.standing(settings.clock()) == "revoked"
    assert find_key(client, made["key"]) is not None
    facts = [json.loads(entry["filter"]) for entry in json.loads(tally("audit", "--json"))]
    assert [next(iter(fact)) for fact in facts] == ["prices", "created", "created", "revoked"]
    client.close()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("create", "--organization", "x", "--name", "n"), ExitCode.USAGE, "'x', which is not a UUID"),
        (("create", "--organization", str(uuid4()), "--name", "n"), ExitCode.REFUSED, "does not exist"),
        (("create", "--organization", ORGANIZATION, "--name", "n", "--days", "0"), ExitCode.USAGE, "days"),
        (("revoke", "000000000000"), ExitCode.REFUSED, "no key '000000000000'"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    settings: Settings, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: ExitCode, said: str
) -> None:
    assert run(["keys", *arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err


def test_migrating_again_keeps_the_secret_of_cursors(settings: Settings) -> None:
    client = report_client(settings)
    before = cursor_secret(client)
    prepare_database(settings)
    ensure_cursor_secret(client, settings.clock())
    assert cursor_secret(client) == before
    assert len(before) == 32
    client.close()
