"""`tally members` and `tally seats`, wired: settings in, events of the directory out."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime

from deploy.connections import report_client
from deploy.directory import Outcome, as_id_or_name, change, find_organization
from deploy.errors import ExitCode, UserError
from deploy.settings import Settings
from directory.changes import MemberWanted, members_changes, people_by_email, removals
from directory.present import Directory, Person, read_directory
from directory.texts import parse_email
from tally_client.events import Event
from tally_client.validity import bare


def put_members(
    settings: Settings, organization: str, wanted: Sequence[MemberWanted], wait: float, only_check: bool = False
) -> Outcome:
    """Make everything about these people so, and each of them a member."""
    organization = as_id_or_name(organization)
    with closing(report_client(settings)) as client:
        organization_id = find_organization(client, organization)
    return change(settings, organization_id, lambda now, at: members_changes(now, at, wanted), wait, only_check)


def change_members(
    settings: Settings,
    organization: str,
    people: Sequence[str],
    wanted_of_each: MemberWanted,
    wait: float,
) -> Outcome:
    """Change present members, each named by e-mail or account. Raises UserError for a person who is not a member."""
    organization_id, members = _members(settings, organization, people)
    wanted = [replace(wanted_of_each, account_id=member.account_id) for member in members]
    return change(settings, organization_id, lambda now, at: members_changes(now, at, wanted), wait)


def remove_members(settings: Settings, organization: str, people: Sequence[str], wait: float) -> Outcome:
    """End the membership of people, each named by e-mail or account. Raises UserError for one who is not a member."""
    organization_id, members = _members(settings, organization, people)
    accounts = [member.account_id for member in members]

    def wanted(directory: Directory, at: datetime) -> list[Event]:
        return removals(directory, at, accounts)

    return change(settings, organization_id, wanted, wait)


def _members(settings: Settings, organization: str, people: Sequence[str]) -> tuple[str, list[Person]]:
    organization = as_id_or_name(organization)
    with closing(report_client(settings)) as client:
        organization_id = find_organization(client, organization)
        directory = read_directory(client, organization_id)
    found = {member.account_id: member for member in (_member(directory, person) for person in people)}
    return organization_id, list(found.values())


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
