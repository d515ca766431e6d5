"""`tally organizations`: create, list, rename, set."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from cli.console import cell, out, print_json, running_settings, warn
from cli.directory_options import WAIT, Json, OrganizationArgument, Wait, show_outcome, warn_unless_folded
from deploy.errors import UserError

if TYPE_CHECKING:
    from directory.changes import Terms

app = typer.Typer(name="organizations", help="Organizations, their plans and discounts.", no_args_is_help=True)

PLANS = "team, enterprise_usage_based or enterprise_seat_based"
Name = Annotated[str, typer.Argument(metavar="NAME", help="The organization's name.", show_default=False)]
Discount = Annotated[
    str, typer.Option(metavar="FRACTION", help="Share of the list price that is not paid: 0.15, or 15%.")
]
ExtraUsage = Annotated[
    bool | None,
    typer.Option(
        help="On a plan with seats: whether usage beyond the seats is allowed, and billed.", show_default=False
    ),
]
Seats = Annotated[int | None, typer.Option(help="Number of seats purchased, from now on.", show_default=False)]
Since = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="TIME",
        help="Hour from which the terms are in force, past or future: 2026-12-31, or 2026-12-31T13:00Z. "
        "The current hour by default.",
        show_default=False,
    ),
]


@app.command()
def create(
    context: typer.Context,
    name: Name,
    organization_id: Annotated[
        str, typer.Option("--id", metavar="UUID", help="Its UUID; by default one that follows from the name.")
    ] = "",
    owner: Annotated[
        str, typer.Option(metavar="EMAIL", help="E-mail of its primary owner, for whom a sign-in link is printed.")
    ] = "",
    plan: Annotated[str, typer.Option(help=f"Its plan: {PLANS}.")] = "enterprise_usage_based",
    discount: Discount = "",
    extra_usage: ExtraUsage = None,
    seats: Seats = None,
    since: Since = "",
    wait: Wait = WAIT,
    as_json: Json = False,
) -> None:
    """Create an organization, print its UUID and, with --owner, a link that signs the owner in once."""
    settings = running_settings(context)
    from deploy.organizations import create as create_organization

    terms = _terms(settings.clock(), since, plan, discount, extra_usage, seats)
    created = create_organization(settings, name, organization_id, owner, terms, wait)
    outcome = created.outcome
    if as_json:
        told = {"organization_id": outcome.organization_id, "events": outcome.counts, "folded": outcome.is_folded}
        print_json(told | {"link": created.link or None})
    else:
        typer.echo(outcome.organization_id)
        if created.link:
            typer.echo(created.link)
    warn_unless_folded(outcome, wait)
    if created.link:
        warn("The first person to open the link is signed in. It works once, for 10 minutes.")
    elif owner:
        again = f"tally login-link --organization {outcome.organization_id} --email {owner.strip().lower()}"
        warn(f"Create the owner's link then: `{again}`.")


@app.command("list")
def show(context: typer.Context, as_json: Json = False) -> None:
    """Show all organizations with what is in force now."""
    settings = running_settings(context)
    from deploy.directory import organizations

    found = organizations(settings)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    table = Table(Column("id", no_wrap=True), "name", "plan", "discount", "extra usage", "members", "seats")
    for each in found:
        usage = "on" if each.extra_usage else "off"
        seats = f"{each.seats_assigned:,} of {each.seats_purchased:,}"
        facts = (each.name, each.plan or "none", f"{each.discount.normalize():f}", usage, f"{each.members:,}", seats)
        table.add_row(each.organization_id, *map(cell, facts))
    out.print(table)


@app.command()
def rename(
    context: typer.Context,
    organization: OrganizationArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its new name.", show_default=False)],
    wait: Wait = WAIT,
    as_json: Json = False,
) -> None:
    """Give an organization another name; its UUID, its people and its usage stay."""
    settings = running_settings(context)
    from deploy.organizations import rename as rename_organization

    show_outcome(rename_organization(settings, organization, name, wait), as_json, wait)


@app.command("set")
def save(
    context: typer.Context,
    organization: OrganizationArgument,
    plan: Annotated[str, typer.Option(help=f"The plan: {PLANS}.", show_default=False)] = "",
    discount: Discount = "",
    extra_usage: ExtraUsage = None,
    since: Since = "",
    wait: Wait = WAIT,
    as_json: Json = False,
) -> None:
    """Put a plan, a discount or extra usage in force from an hour on; what is not given stays as it is."""
    if not plan and not discount and extra_usage is None:
        raise UserError("Nothing is given that could change", "Give --plan, --discount or --extra-usage.")
    settings = running_settings(context)
    from deploy.directory import directory_of
    from deploy.organizations import later_terms, set_terms

    terms = _terms(settings.clock(), since, plan, discount, extra_usage, None)
    outcome = set_terms(settings, organization, terms, wait)
    show_outcome(outcome, as_json, wait)
    for line in later_terms(directory_of(settings, outcome.organization_id), terms):
        warn(f"Later terms stay as they are: {line}")
    if outcome.events and terms.since < settings.clock().replace(hour=0, minute=0, second=0, microsecond=0):
        warn("Usage since then has another price now; reports that were issued for these days get new revisions.")


def _terms(now: datetime, since: str, plan: str, discount: str, extra_usage: bool | None, seats: int | None) -> "Terms":
    """Return the terms that the options describe. Raises InvalidText."""
    from directory.changes import Terms
    from directory.texts import parse_discount, parse_hour, parse_plan, parse_seats

    terms = Terms(
        parse_hour(since, now),
        parse_plan(plan) if plan else None,
        parse_discount(discount) if discount else None,
        extra_usage,
        None if seats is None else parse_seats(seats),
    )
    if terms.discount == "1":
        warn("A discount of 100 %: all usage from then on has a net spend of 0.")
    return terms
