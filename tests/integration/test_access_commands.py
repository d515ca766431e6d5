"""`tally login-link` and `tally audit`: who is let in, who is not, and what is written down of it."""

import json
import re
from datetime import timedelta
from uuid import uuid4

import pytest

from access.roles import members_by_email
from access.sessions import Identity, create_credential, find_credential, redeem_link
from deploy.errors import ExitCode
from deploy.settings import Settings
from tests.support.access_commands import Tally, tally, world
from tests.support.people import organization_of, somebody
from tests.support.simulated_world import World

__all__ = ["tally", "world"]

OWNER = somebody("team", "owner")
HOUR = timedelta(hours=1)


def test_a_link_is_printed_and_works_once(world: World, tally: Tally) -> None:
    client = world.client()
    for whom, name in (
        (("--organization", OWNER.organization, "--account", OWNER.account.upper()), f"person {OWNER.account}"),
        (("--organization", OWNER.organization, "--email", OWNER.email), f"person {OWNER.account}"),
        (("--organization", OWNER.organization, "--email", OWNER.email.title()), f"person {OWNER.account}"),
        (("--operator", "kim"), "operator kim"),
    ):
        code, link, said = tally("login-link", *whom)
        assert code == ExitCode.OK
        assert "once, for 10 minutes" in said
        found = re.fullmatch(r"https://tally\.example/sign-in\?link=([A-Za-z0-9_-]{43})", link)
        assert found
        assert found[1] not in str(client.query("SELECT * FROM credentials").result_rows)
        holder = redeem_link(client, found[1], Settings().clock())
        assert holder is not None
        assert holder.name == name
        assert redeem_link(client, found[1], Settings().clock()) is None
    client.close()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), ExitCode.USAGE, "needs a person or an operator"),
        (("--organization", OWNER.organization), ExitCode.USAGE, "needs a person or an operator"),
        (("--organization", OWNER.organization, "--operator", "x"), ExitCode.USAGE, "needs a person or an operator"),
        (("--operator", "x", "--email", "y"), ExitCode.USAGE, "no account"),
        (("--organization", "x", "--email", "y"), ExitCode.USAGE, "'x', which is not a UUID"),
        (("--organization", OWNER.organization, "--account", "x"), ExitCode.USAGE, "account is 'x'"),
        (("--organization", str(uuid4()), "--email", "y"), ExitCode.REFUSED, "does not exist"),
        (("--organization", OWNER.organization, "--email", "y"), ExitCode.REFUSED, "0 members"),
        (
            ("--organization", OWNER.organization, "--account", somebody("team", "admin").account),
            ExitCode.REFUSED,
            "role admin, plan team",
        ),
        (
            ("--organization", organization_of(""), "--account", somebody("", "owner").account),
            ExitCode.REFUSED,
            "plan none",
        ),
    ],
)
def test_who_is_not_let_in_is_one_line(tally: Tally, arguments: tuple[str, ...], code: ExitCode, said: str) -> None:
    answered, printed, complaint = tally("login-link", *arguments)
    assert (answered, printed) == (code, "")
    assert said in complaint


def test_only_present_members_have_an_e_mail_here(world: World) -> None:
    client = world.client()
    removed = somebody("team", "")
    assert members_by_email(client, OWNER.organization, OWNER.email) == [OWNER.account]
    for email in (removed.email, OWNER.email.upper(), "", "%", somebody("", "owner").email):
        assert members_by_email(client, OWNER.organization, email) == []
    client.close()


def test_everybody_one_person_or_an_operator_is_signed_out(world: World, tally: Tally) -> None:
    client, now = world.client(), Settings().clock()
    one, other = somebody("team", "owner"), somebody("team", "primary_owner")
    holders = {
        "one": Identity(one.organization, one.account),
        "other": Identity(other.organization, other.account),
        "elsewhere": Identity(organization_of("enterprise_usage_based"), one.account),
        "kim": Identity(operator="kim"),
        "lee": Identity(operator="lee"),
    }
    sessions = {name: create_credential(client, "session", whose, now, now + HOUR) for name, whose in holders.items()}

    def left() -> list[str]:
        return [name for name, secret in sessions.items() if find_credential(client, "session", secret, now)]

    tally("sign-out", "--organization", one.organization)
    sessions |= {
        name: create_credential(client, "session", holders[name], now, now + HOUR) for name in ("one", "other")
    }
    link = create_credential(client, "link", holders["one"], now, now + HOUR)
    assert left() == ["one", "other", "elsewhere", "kim", "lee"]
    assert "2 links and sessions" in tally("sign-out", "--organization", one.organization, "--account", one.account)[1]
    assert redeem_link(client, link, now) is None
    assert left() == ["other", "elsewhere", "kim", "lee"]
    assert tally("sign-out", "--operator", "kim")[0] == ExitCode.OK
    assert left() == ["other", "elsewhere", "lee"]
    tally("sign-out", "--organization", one.organization)
    assert left() == ["elsewhere", "lee"]
    assert "0 links" in tally("sign-out", "--operator", "nobody")[1]
    assert tally("sign-out")[0] == tally("sign-out", "--operator", "x", "--account", "y")[0] == ExitCode.USAGE
    (entry,) = json.loads(tally("audit", "--json", "--limit", "1")[1])
    assert (entry["action"], json.loads(entry["filter"])) == ("sign-out", {"of": "operator nobody", "ended": 0})
    client.close()


def test_links_stand_in_the_audit_log(tally: Tally) -> None:
    tally("login-link", "--organization", OWNER.organization, "--account", OWNER.account)
    tally("login-link", "--operator", "kim\x1b[2J")
    code, printed, _ = tally("audit", "--json", "--limit", "2")
    assert code == ExitCode.OK
    person, operator = json.loads(printed)
    assert (person["action"], person["outcome"], person["organization_id"]) == ("link", "done", OWNER.organization)
    assert person["actor"].startswith("system user")
    assert json.loads(person["filter"]) == {"for": f"person {OWNER.account}"}
    assert json.loads(operator["filter"]) == {"for": "operator kim\x1b[2J"}
    listed = json.loads(tally("audit", "--organization", OWNER.organization, "--json")[1])
    assert {entry["organization_id"] for entry in listed} == {OWNER.organization}
    assert json.loads(tally("audit", "--since", "2199-01-01", "--json")[1]) == []
    _, shown, _ = tally("audit")
    assert "link" in shown
    assert "\x1b[2J" not in shown
    assert tally("audit", "--organization", "x")[0] == ExitCode.USAGE


def test_reading_the_log_stands_in_it_and_it_can_be_verified(tally: Tally) -> None:
    tally("audit", "--organization", OWNER.organization)
    (read,) = json.loads(tally("audit", "--json", "--limit", "1")[1])
    assert (read["action"], read["organization_id"], read["actor"][:11]) == ("audit", OWNER.organization, "system user")
    code, said, _ = tally("audit", "--verify")
    assert (code, said.startswith("The log is unchanged: ")) == (ExitCode.OK, True)
    head = said.rpartition("head ")[2].strip().rstrip(".")
    assert tally("audit", "--verify", "--head", head)[0] == ExitCode.OK
    code, said, told = tally("audit", "--verify", "--head", "0" * 64)
    assert (code, "is missing" in told) == (ExitCode.FINDINGS, True)
