"""`tally members`: add, import, list, remove, role."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from cli.console import cell, out, print_json, running_settings, warn
from cli.directory_options import WAIT, Json, Organization, People, Wait, show_outcome
from deploy.counts import counted
from deploy.errors import ExitCode, UserError

if TYPE_CHECKING:
    from directory.present import Directory, Person

app = typer.Typer(name="members", help="The members of an organization.", no_args_is_help=True)

ROLES = "primary_owner, owner, admin or member"
SHOWN = 20
"""Faults of a file that are printed."""


@app.command()
def add(
    context: typer.Context,
    emails: Annotated[list[str], typer.Argument(metavar="EMAIL...", help="E-mail addresses.", show_default=False)],
    organization: Organization = "",
    name: Annotated[str, typer.Option(help="The person's name; for one e-mail only.", show_default=False)] = "",
    role: Annotated[str, typer.Option(help=f"Their role: {ROLES}; member by default.", show_default=False)] = "",
    seat: Annotated[bool | None, typer.Option(help="Give them a seat, or none.", show_default=False)] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(help="A group that they join; may be repeated. It is created if it is new.", show_default=False),
    ] = None,
    wait: Wait = WAIT,
    as_json: Json = False,
) -> None:
    """Make people members. For those who are members already, only what is given changes."""
    if name and len(emails) > 1:
        raise UserError("--name is the name of one person", "Add people with names one at a time, or import a file.")
    settings = running_settings(context)
    from deploy.members import put_members
    from directory.changes import MemberWanted
    from directory.texts import parse_email, parse_name, parse_role

    wanted = [
        MemberWanted(
            email,
            name=parse_name(name) if name else None,
            role=parse_role(role) if role else None,
            seat=seat,
            groups=tuple(parse_name(each, "group") for each in group or ()),
        )
        for email in dict.fromkeys(map(parse_email, emails))
    ]
    show_outcome(put_members(settings, organization, wanted, wait), as_json, wait)


@app.command("import")
def read(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV with a column email, and any of account_id, name, role, seat, groups."
        ),
    ],
    organization: Organization = "",
    check: Annotated[bool, typer.Option("--check", help="Send nothing; print what would be sent.")] = False,
    wait: Wait = WAIT,
    as_json: Json = False,
) -> None:
    """Make the people of a CSV file members, with what the file contains about them; - is standard input.

    Every line is checked first, and nothing is sent if one is wrong. An empty cell leaves things as they are, except
    that `groups` (separated by semicolons) lists all groups of the person. People who are not in the file stay members.
    """
    settings = running_settings(context)
    from deploy.members import put_members
    from directory.errors import InvalidMembersFile
    from directory.members_csv import read_members

    try:
        wanted = read_members(file)
    except InvalidMembersFile as error:
        for line in error.problems[:SHOWN]:
            warn(line)
        more = f" The first {SHOWN} are listed." if len(error.problems) > SHOWN else ""
        message = f"{file} has {counted(len(error.problems), 'fault')}, so nothing was sent"
        raise UserError(message, error.hint + more, ExitCode.REFUSED) from error
    show_outcome(put_members(settings, organization, wanted, wait, check), as_json, wait, check)


@app.command()
def role(
    context: typer.Context,
    person: Annotated[
        str, typer.Argument(metavar="PERSON", help="E-mail address, or UUID of the account.", show_default=False)
    ],
    new: Annotated[str, typer.Argument(metavar="ROLE", help=f"{ROLES}.", show_default=False)],
    organization: Organization = "",
    wait: Wait = WAIT,
    as_json: Json = False,
) -> None:
    """Give a member another role, which decides what the person sees from then on."""
    settings = running_settings(context)
    from deploy.members import change_members
    from directory.changes import MemberWanted
    from directory.texts import parse_role

    outcome = change_members(settings, organization, [person], MemberWanted(role=parse_role(new)), wait)
    show_outcome(outcome, as_json, wait)


@app.command()
def remove(
    context: typer.Context, people: People, organization: Organization = "", wait: Wait = WAIT, as_json: Json = False
) -> None:
    """End the membership of people: they see nothing from then on, and have no seat. Their usage stays."""
    settings = running_settings(context)
    from deploy.members import remove_members

    show_outcome(remove_members(settings, organization, people, wait), as_json, wait)


@app.command("list")
def show(
    context: typer.Context,
    organization: Organization = "",
    former: Annotated[bool, typer.Option("--former", help="Also show people who are not members any more.")] = False,
    as_json: Json = False,
) -> None:
    """Show the members of an organization."""
    settings = running_settings(context)
    from deploy.directory import directory_of

    directory = directory_of(settings, organization)
    people = [each for each in directory.people.values() if each.is_member or (former and each.membership)]
    if as_json:
        print_json([_as_json(directory, each) for each in people])
        return
    table = Table("e-mail", "name", "role", "seat", "groups", Column("account", no_wrap=True))
    for each in people:
        standing = each.role if each.is_member else each.membership.partition(".")[2]
        facts = (each.email, each.name, standing, "yes" if each.seat else "no", "; ".join(_groups(directory, each)))
        table.add_row(*map(cell, facts), each.account_id)
    out.print(table)


def _groups(directory: "Directory", person: "Person") -> list[str]:
    return sorted(directory.groups.get(group_id, group_id) for group_id in person.groups)


def _as_json(directory: "Directory", person: "Person") -> dict[str, object]:
    return {
        "account_id": person.account_id,
        "email": person.email,
        "name": person.name,
        "is_member": person.is_member,
        "role": person.role,
        "seat": person.seat,
        "groups": _groups(directory, person),
    }
