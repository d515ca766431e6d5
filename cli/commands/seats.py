"""`tally seats`: set, assign, unassign."""

from typing import Annotated

import typer

from cli.console import running_settings
from cli.directory_options import WAIT, Json, Organization, People, Wait, show_outcome

app = typer.Typer(name="seats", help="Seats: how many are purchased, and who has one.", no_args_is_help=True)


@app.command("set")
def purchase(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="Seats that the organization has from now on.")],
    organization: Organization = "",
    wait: Wait = WAIT,
    as_json: Json = False,
) -> None:
    """Set how many seats an organization has purchased."""
    settings = running_settings(context)
    from deploy.organizations import set_terms
    from directory.changes import Terms
    from directory.texts import parse_hour, parse_seats

    terms = Terms(parse_hour("", settings.clock()), seats=parse_seats(number))
    show_outcome(set_terms(settings, organization, terms, wait), as_json, wait)


@app.command()
def assign(
    context: typer.Context, people: People, organization: Organization = "", wait: Wait = WAIT, as_json: Json = False
) -> None:
    """Give members a seat."""
    _seat(context, people, organization, True, wait, as_json)


@app.command()
def unassign(
    context: typer.Context, people: People, organization: Organization = "", wait: Wait = WAIT, as_json: Json = False
) -> None:
    """Take the seat of members away; they stay members."""
    _seat(context, people, organization, False, wait, as_json)


def _seat(context: typer.Context, people: list[str], organization: str, seat: bool, wait: float, as_json: bool) -> None:
    settings = running_settings(context)
    from deploy.members import change_members
    from directory.changes import MemberWanted

    show_outcome(change_members(settings, organization, people, MemberWanted(seat=seat), wait), as_json, wait)
