"""`tally organizations` and `tally seats`, wired: settings in, events of the directory out."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from clickhouse_connect.driver.client import Client

from deploy.connections import report_client
from deploy.directory import Outcome, apply, change, selected
from deploy.errors import ExitCode, UserError
from deploy.login_links import link_for_person
from deploy.settings import Settings
from deploy.uuids import parse_uuid
from directory.changes import (
    MemberWanted,
    Terms,
    account_of,
    members_changes,
    name_changes,
    organization_id_of,
    people_by_email,
    terms_changes,
)
from directory.errors import DuplicateName
from directory.present import Directory, names_of_organizations, read_directory
from directory.texts import parse_email, parse_name, same_text
from tally_client.events import Event


@dataclass(frozen=True)
class Created:
    """A new organization, and the address that signs its owner in, if there is one and it is folded."""

    outcome: Outcome
    link: str = ""


def create(settings: Settings, name: str, organization_id: str, owner: str, terms: Terms, wait: float) -> Created:
    """Create an organization with its terms and, unless `owner` is empty, a primary owner with this e-mail address.

    Raises DuplicateName if an organization has the name, or UserError if one has the id.
    """
    name = parse_name(name, "organization's name")
    organization_id = parse_uuid(organization_id) if organization_id else organization_id_of(name)
    owners = [MemberWanted(parse_email(owner), role="primary_owner")] if owner else []

    def wanted(directory: Directory, at: datetime) -> list[Event]:
        if directory.name:
            message = f"Organization {organization_id} exists already, with the name {directory.name}"
            hint = "Rename it with `tally organizations rename`, or choose another id with --id."
            raise UserError(message, hint, ExitCode.REFUSED)
        named = name_changes(directory, at, name)
        return [*named, *terms_changes(directory, at, terms), *members_changes(directory, at, owners)]

    with closing(report_client(settings)) as client:
        _refuse_taken_name(client, name, by_other_than="")
        outcome = apply(settings, client, organization_id, wanted, wait)
        if not owner or not outcome.is_folded:
            return Created(outcome)
        directory = read_directory(client, organization_id)
    account = account_of(directory, people_by_email(directory), owners[0])
    return Created(outcome, link_for_person(settings, organization_id, account, email=""))


def rename(settings: Settings, organization: str, name: str, wait: float) -> Outcome:
    """Give an organization another name. Raises DuplicateName if another organization has it."""
    name = parse_name(name, "organization's name")
    with selected(settings, organization) as (client, organization_id):
        _refuse_taken_name(client, name, organization_id)
        return apply(settings, client, organization_id, lambda now, at: name_changes(now, at, name), wait)


def set_terms(settings: Settings, organization: str, terms: Terms, wait: float) -> Outcome:
    """Put terms in force."""
    return change(settings, organization, lambda directory, at: terms_changes(directory, at, terms), wait)


def later_terms(directory: Directory, terms: Terms) -> Sequence[str]:
    """Return a line for each later change of what `terms` change, which ends what is in force from their hour on."""
    given = {
        "plan.changed": terms.plan is not None,
        "discount.changed": terms.discount is not None,
        "extra_usage.changed": terms.extra_usage is not None,
    }
    return [
        f"{kind} to {change.value} at {change.since:%Y-%m-%d %H:%M} UTC"
        for kind, changes in directory.terms.items()
        for change in changes
        if given.get(kind) and change.since > terms.since
    ]


def _refuse_taken_name(client: Client, name: str, by_other_than: str) -> None:
    for organization_id, taken in names_of_organizations(client).items():
        if same_text(taken) == same_text(name) and organization_id != by_other_than:
            message = f"An organization named {taken} exists already: {organization_id}"
            raise DuplicateName(message, "Choose another name; two that differ only in case are one.")
