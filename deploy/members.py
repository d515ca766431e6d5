"""`tally members` and `tally seats`, wired: settings in, events of the directory out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from deploy.directory import Outcome, change
from deploy.errors import ExitCode, UserError
from deploy.settings import Settings
from directory.changes import MemberWanted, members_changes, people_by_email, removals
from directory.present import Directory, Person
from directory.texts import parse_email
from tally_client.events import Event
from tally_client.validity import bare


def put_members(
    settings: Settings, organization: str, wanted: Sequence[MemberWanted], wait: float, only_check: bool = False
) -> Outcome:
    """Make everything about these people so, and each of them a member."""
    return change(settings, organization, lambda now, at: members_changes(now, at, wanted), wait, only_check)


def change_members(
    settings: Settings,
    organization: str,
    people: Sequence[str],
    wanted_of_each: MemberWanted,
    wait: float,
) -> Outcome:
    """Change present members, each named by e-mail or account. Raises UserError for a person who is not a member."""

    def wanted(directory: Directory, at: datetime) -> list[Event]:
        accounts = _accounts(directory, people)
        return members_changes(directory, at, [replace(wanted_of_each, account_id=account) for account in accounts])

    return change(settings, organization, wanted, wait)


def remove_members(settings: Settings, organization: str, people: Sequence[str], wait: float) -> Outcome:
    """End the membership of people, each named by e-mail or account. Raises UserError for one who is not a member."""

    def wanted(directory: Directory, at: datetime) -> list[Event]:
        return removals(directory, at, _accounts(directory, people))

    return change(settings, organization, wanted, wait)


def _accounts(directory: Directory, people: Sequence[str]) -> list[str]:
    """Return the accounts of these members, each once."""
    return list(dict.fromkeys(_member(directory, person).account_id for person in people))


def _member(directory: Directory, text: str) -> Person:
    """Return the member with this account or e-mail."""
    try:
        account = bare(text)
        found = [directory.people[account]] if account in directory.people else []
    except ValueError:
        found = people_by_email(directory).get(parse_email(text), [])
    whose = f"organization {directory.name or directory.organization_id}"
    members = [person for person in found if person.is_member]
    if len(members) == 1:
        return members[0]
    if members:
        accounts = ", ".join(member.account_id for member in members)
        message = f"{len(members)} members of {whose} have the e-mail {text}: {accounts}"
        raise UserError(message, "Name one of them by the account's id.", ExitCode.REFUSED)
    was = {"member.removed": " any more: removed", "account.deleted": " any more: the account was deleted"}
    how = was.get(found[0].membership, "") if found else ""
    hint = "`tally members list` shows the members; one who was just added is in it once a worker has folded the event."
    raise UserError(f"{text} is not a member of {whose}{how}", hint, ExitCode.REFUSED)
