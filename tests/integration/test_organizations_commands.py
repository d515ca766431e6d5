"""`tally organizations`, `members` and `seats` in the folder of a `tally up`, from nothing to named people."""

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cli.main import run
from deploy.connections import report_client
from deploy.errors import ExitCode
from deploy.verify import verify
from deploy.wait_for_tables import wait_until_folded
from directory.present import read_directory
from tally_client.derived_ids import account_of_email
from tally_client.emitter import Emitter
from tally_client.events import Actor, ChatMessage, Event
from tally_client.events.directory import AccountDeleted, MemberJoined, ProfileUpdated
from tests.support.example_stack import Stack, bare_environment, running_stack
from tests.support.pipeline import found_by

pytestmark = pytest.mark.timeout(600)

NIL = "00000000-0000-0000-0000-000000000000"
FILE = (
    "email,name,role,seat,groups\n"
    'Ada@Example.com,"Lovelace, Ada",owner,yes,Research;Core team\n'
    "bob@example.com,Bob,,no,\n"
    "me@example.com,Me,,,core TEAM\n"
)

Tally = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A `tally up` in an empty folder."""
    with running_stack(tmp_path_factory.mktemp("stranger"), bare_environment()) as running:
        yield running


@pytest.fixture
def tally(stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tally:
    """Runs a command in the stack's folder: its exit code and what it printed."""
    for variable in [name for name in os.environ if name.upper().startswith("TALLY_")]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(stack.folder)

    def command(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        printed = capsys.readouterr()
        return code, printed.out.strip(), printed.err

    return command


@pytest.fixture
def acme(tally: Tally) -> str:
    """A new organization with an owner; its id."""
    created = done(tally, "organizations", "create", f"Acme {uuid4()}", "--owner", "owner@example.com")
    return created.splitlines()[0]


def done(tally: Tally, *arguments: str) -> str:
    """What a command printed that must succeed."""
    code, printed, errors = tally(*arguments)
    assert code == ExitCode.OK, errors
    return printed


def sent(tally: Tally, *arguments: str) -> dict[str, int]:
    """The events of a command that must succeed, by type; they are folded when it ends."""
    found = json.loads(done(tally, *arguments, "--json"))
    assert found["folded"] is True
    events: dict[str, int] = found["events"]
    return events


def members(tally: Tally, organization: str, *more: str) -> dict[str, dict[str, Any]]:
    listed = json.loads(done(tally, "members", "list", "--organization", organization, "--json", *more))
    return {each["email"]: each for each in listed}


def in_force(tally: Tally, organization: str) -> dict[str, Any]:
    listed = json.loads(done(tally, "organizations", "list", "--json"))
    (found,) = [each for each in listed if each["organization_id"] == organization]
    return dict(found)


def emit(stack: Stack, *events: Event) -> None:
    """Send events as a service does, and wait until they are folded."""

    async def send() -> None:
        async with Emitter(stack.settings.kafka_bootstrap, **stack.settings.client_options()) as emitter:
            for event in events:
                await emitter.emit(event)

    asyncio.run(send())
    wait_until_folded(stack.settings)


def test_a_stranger_gets_from_nothing_to_named_people(stack: Stack, tally: Tally) -> None:
    """The first test of the stack: there is one organization, so no command has to name it."""
    code, _, complaint = tally("members", "list")
    assert (code, "Create one: `tally organizations create NAME`" in complaint) == (ExitCode.REFUSED, True)

    organization, link = done(tally, "organizations", "create", "Acme", "--owner", " Me@Example.com").splitlines()
    assert in_force(tally, organization)["plan"] == "enterprise_usage_based"
    (stack.folder / "people.csv").write_text(FILE)
    assert sent(tally, "members", "import", "people.csv") == {
        "group.saved": 2, "member.joined": 2, "profile.updated": 3, "seat.assigned": 1, "group.joined": 3,
    }  # fmt: skip
    for _ in range(2):
        assert sent(tally, "members", "import", "people.csv") == {}
    people = members(tally, "Acme")
    assert {email: (each["name"], each["role"], each["seat"], each["groups"]) for email, each in people.items()} == {
        "ada@example.com": ("Lovelace, Ada", "owner", True, ["Core team", "Research"]),
        "bob@example.com": ("Bob", "member", False, []),
        "me@example.com": ("Me", "primary_owner", False, ["Core team"]),
    }
    assert "Lovelace, Ada" in done(tally, "members", "list")

    ada, now = account_of_email(organization, "ADA@example.com"), datetime.now(UTC)
    assert people["ada@example.com"]["account_id"] == ada
    message = ChatMessage(
        event_id=str(uuid4()), occurred_at=now, organization_id=organization,
        actor=Actor(type="user", id=ada), product="chat", conversation_id=str(uuid4()),
    )  # fmt: skip
    emit(stack, message)
    site = stack.settings.api_url()
    signed_in = httpx.post(
        f"{site}/sign-in", data={"link": link.rpartition("=")[2]}, headers={"sec-fetch-site": "same-origin"}, timeout=30
    )
    assert signed_in.status_code == 303, signed_in.text
    days = {"of": "active", "first": f"{now:%Y-%m-%d}", "last": f"{now:%Y-%m-%d}"}
    with httpx.Client(base_url=site, cookies=signed_in.cookies, timeout=30) as browser:
        page = browser.get(f"/organizations/{organization}/people", params=days)
        assert (page.status_code, "Lovelace, Ada" in page.text, "Acme" in page.text) == (200, True, True)


def test_terms_are_in_force_from_their_hour(tally: Tally, acme: str) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    assert sent(tally, "organizations", "set", acme, "--discount", "15%", "--extra-usage") == {
        "discount.changed": 1, "extra_usage.changed": 1,
    }  # fmt: skip
    assert sent(tally, "organizations", "set", acme, "--discount", "0.150", "--extra-usage") == {}
    later = f"{hour + timedelta(days=30):%Y-%m-%dT%H:00Z}"
    assert sent(tally, "organizations", "set", acme, "--plan", "team", "--from", later) == {"plan.changed": 1}
    assert sent(tally, "seats", "set", "7", "--organization", acme) == {"seats.purchased": 1}
    found = in_force(tally, acme)
    assert (found["plan"], found["discount"], found["extra_usage"]) == ("enterprise_usage_based", "0.150000", True)
    assert (found["members"], found["seats_assigned"], found["seats_purchased"]) == (1, 0, 7)
    code, _, warned = tally("organizations", "set", acme, "--plan", "Team", "--discount", "1", "--from", "2026-01-01")
    assert code == ExitCode.OK
    for said in ("A discount of 100 %", "plan.changed to team at", "issued for these days get new revisions"):
        assert said in warned
    actions = [entry["action"] for entry in json.loads(done(tally, "audit", "--organization", acme, "--json"))]
    assert actions == ["money", "link", *["money"] * 2, "directory", "money"]


def test_an_organization_gets_another_name_and_no_name_is_given_twice(tally: Tally, acme: str) -> None:
    name = f"Beta {uuid4()}"
    assert sent(tally, "organizations", "rename", acme, name) == {"organization.created": 1}
    assert sent(tally, "organizations", "rename", name.upper(), name) == {}
    other = done(tally, "organizations", "create", f"Gamma {uuid4()}", "--id", str(uuid4()).upper())
    for arguments in (("rename", other, f" {name.upper()}"), ("create", name)):
        code, _, complaint = tally("organizations", *arguments)
        assert (code, f"named {name} exists already: {acme}" in complaint) == (ExitCode.REFUSED, True)
    code, _, complaint = tally("organizations", "create", "Delta", "--id", acme)
    assert (code, f"{acme} exists already, with the name {name}" in complaint) == (ExitCode.REFUSED, True)


def test_a_member_changes_leaves_and_comes_back(stack: Stack, tally: Tally, acme: str) -> None:
    of = ("--organization", acme)
    joined = sent(tally, "members", "add", "Eve@x.example", "--name", "Eve", "--seat", "--group", "Red", *of)
    assert joined == {"group.saved": 1, "member.joined": 1, "profile.updated": 1, "seat.assigned": 1, "group.joined": 1}
    assert sent(tally, "members", "role", "EVE@x.example", "Admin", *of) == {"role.changed": 1}
    assert sent(tally, "members", "role", "eve@x.example", "admin", *of) == {}
    assert sent(tally, "members", "add", "eve@x.example", "--group", "Blue", *of) == {
        "group.saved": 1, "group.joined": 1,
    }  # fmt: skip
    eve = members(tally, acme)["eve@x.example"]
    assert (eve["role"], eve["seat"], eve["groups"]) == ("admin", True, ["Blue", "Red"])
    assert sent(tally, "seats", "unassign", eve["account_id"], *of) == {"seat.unassigned": 1}
    assert sent(tally, "seats", "assign", "eve@x.example", *of) == {"seat.assigned": 1}
    assert sent(tally, "members", "remove", "eve@x.example", *of) == {"member.removed": 1}
    assert "eve@x.example" not in members(tally, acme)
    gone = members(tally, acme, "--former")["eve@x.example"]
    assert (gone["is_member"], gone["role"], gone["seat"], gone["groups"]) == (False, "", False, [])
    for command in (("remove", "eve@x.example"), ("role", "eve@x.example", "owner")):
        code, _, complaint = tally("members", *command, *of)
        assert (code, "any more: removed" in complaint) == (ExitCode.REFUSED, True)
    assert sent(tally, "members", "add", "eve@x.example", *of) == {"member.joined": 1}
    back = members(tally, acme)["eve@x.example"]
    assert (back["account_id"], back["role"], back["name"]) == (eve["account_id"], "member", "Eve")

    deleted = AccountDeleted(
        event_id=str(uuid4()), occurred_at=datetime.now(UTC), organization_id=acme, account_id=eve["account_id"]
    )
    emit(stack, deleted)
    assert sent(tally, "members", "add", "eve@x.example", "--name", "Eve", *of) == {
        "member.joined": 1, "profile.updated": 1,
    }  # fmt: skip


def test_people_of_a_service_keep_their_accounts_and_a_clock_ahead_is_overtaken(
    stack: Stack, tally: Tally, acme: str
) -> None:
    account, ahead = str(uuid4()), datetime.now(UTC) + timedelta(minutes=3)
    fields: dict[str, Any] = {"occurred_at": ahead, "organization_id": acme, "account_id": account}
    emit(
        stack,
        MemberJoined(event_id=str(uuid4()), role="admin", **fields),
        ProfileUpdated(event_id=str(uuid4()), email="Zoe@X.example", name="Zoë \u202e", **fields),
    )
    assert sent(tally, "members", "add", "zoe@x.example", "--role", "owner", "--organization", acme) == {
        "role.changed": 1,
    }  # fmt: skip
    zoe = members(tally, acme)["Zoe@X.example"]
    assert (zoe["account_id"], zoe["role"]) == (account, "owner")
    shown = done(tally, "members", "list", "--organization", acme)
    assert ("\u202e" in shown, "Zoë \\u202e" in shown) == (False, True)


REFUSED: tuple[tuple[str, int, str], ...] = (
    ("organizations create Ac\nme", ExitCode.REFUSED, "contains a line break"),
    ("organizations create Acme\n", ExitCode.REFUSED, "ends in a line break"),
    ("organizations create A\x1b[31m", ExitCode.REFUSED, "contains a control character"),
    ("organizations create ", ExitCode.REFUSED, "is empty"),
    (f"organizations create A --id {NIL}", ExitCode.USAGE, "is the nil UUID"),
    ("organizations create A --owner me", ExitCode.REFUSED, "'me' is not an address"),
    ("organizations create A --discount 0.1234567", ExitCode.REFUSED, "more than six decimals"),
    ("organizations create A --plan free", ExitCode.REFUSED, "Use one of team, "),
    ("organizations set ACME --plan team --from 2026-12-01T10:30Z", ExitCode.REFUSED, "whole UTC hour"),
    ("organizations set ACME", ExitCode.USAGE, "Nothing is given"),
    (f"organizations set {uuid4()} --plan team", ExitCode.REFUSED, "does not exist"),
    ("organizations rename nobody B", ExitCode.REFUSED, "No organization is named 'nobody'"),
    ("members list", ExitCode.REFUSED, "Use --organization"),
    (f"members list --organization {NIL}", ExitCode.USAGE, "is the nil UUID"),
    ("members add a@x b@x --name B --organization ACME", ExitCode.USAGE, "one person"),
    ("members add a@x --role boss --organization ACME", ExitCode.REFUSED, "The role is 'boss'"),
    ("members role me@example.com owner --organization ACME", ExitCode.REFUSED, "is not a member of"),
    (f"members remove {uuid4()} --organization ACME", ExitCode.REFUSED, "is not a member of"),
    ("members import none.csv --organization ACME", ExitCode.FILE, "none.csv: no such file"),
    ("seats set 1000000001 --organization ACME", ExitCode.REFUSED, "is not a number of seats"),
)


def test_what_cannot_be_done_is_one_line_and_sends_nothing(stack: Stack, tally: Tally, acme: str) -> None:
    with closing(report_client(stack.settings)) as client:
        before = client.query("SELECT count() FROM directory").result_rows
        for line, code, why in REFUSED:
            found, printed, complaint = tally(*line.replace("ACME", acme).split(" "))
            assert (found, printed) == (code, ""), line
            assert why in complaint, line
            assert complaint.count("\n") == 1, line
        wait_until_folded(stack.settings)
        assert client.query("SELECT count() FROM directory").result_rows == before


def test_a_file_with_a_fault_sends_nothing_and_every_fault_is_named(stack: Stack, tally: Tally, acme: str) -> None:
    (stack.folder / "bad.csv").write_text("email,role\nfine@x,owner\na@x,boss\na@x\x1b,member\nFINE@x,member\n")
    code, printed, complaint = tally("members", "import", "bad.csv", "--organization", acme)
    assert (code, printed) == (ExitCode.REFUSED, "")
    assert [line.partition(" ")[0] for line in complaint.splitlines()] == [
        "bad.csv:3:", "bad.csv:4:", "bad.csv:5:", "tally:",
    ]  # fmt: skip
    assert "\x1b" not in complaint
    assert [*members(tally, acme)] == ["owner@example.com"]


def test_a_check_sends_nothing_and_standard_input_is_a_file(stack: Stack, tally: Tally, acme: str) -> None:
    (stack.folder / "people.csv").write_text(FILE)
    checked = done(tally, "members", "import", "people.csv", "--check", "--organization", acme)
    assert checked.startswith("Nothing was sent. It would be 2 group.saved, 3 member.joined")
    assert [*members(tally, acme)] == ["owner@example.com"]
    stack.run(f"tally members import - --organization {acme} < people.csv")
    assert len(members(tally, acme)) == 4


def test_a_command_that_is_repeated_before_it_is_folded_changes_nothing_more(stack: Stack, tally: Tally) -> None:
    """Whether the worker was faster or not."""
    name = f"Twice {uuid4()}"
    results = [tally("organizations", "create", name, "--owner", "o@x.example", "--wait", "0") for _ in range(3)]
    wait_until_folded(stack.settings)
    (organization,) = {printed.splitlines()[0] for code, printed, _ in results if code == ExitCode.OK}
    assert "shown once a worker has folded it" in results[0][2]
    assert f"tally login-link --organization {organization} --email o@x.example" in results[0][2]
    assert {code for code, _, _ in results} <= {ExitCode.OK, ExitCode.REFUSED}
    found = in_force(tally, organization)
    assert (found["name"], found["members"]) == (name, 1)
    with closing(report_client(stack.settings)) as client:
        assert (
            read_directory(client, organization).in_force("plan.changed", datetime.now(UTC)) == "enterprise_usage_based"
        )


def test_everything_that_was_sent_counts(stack: Stack) -> None:
    """The last test of the stack: no command sent a dead letter, and an independent recount has the same directory."""
    verdict = verify(stack.settings, wait_seconds=240)
    assert verdict.equal, found_by(verdict)
    with closing(report_client(stack.settings)) as client:
        assert client.query("SELECT count() FROM directory").result_rows[0][0] > 50
