"""`tally login-link`."""

from typing import Annotated

import typer

from cli.console import running_settings, warn
from deploy.errors import UserError


def command(
    context: typer.Context,
    organization: Annotated[str, typer.Option(help="The organization's UUID.")] = "",
    account: Annotated[str, typer.Option(help="The person's account UUID.")] = "",
    email: Annotated[str, typer.Option(help="The person's e-mail, in place of the account.")] = "",
    operator: Annotated[
        str, typer.Option(help="The name of an operator of this installation; without the other options.")
    ] = "",
) -> None:
    """Print a link that signs in one person or operator, once, within ten minutes."""
    if bool(operator) == bool(organization) or (organization and bool(account) == bool(email)):
        raise UserError(
            "The command needs a person or an operator",
            "Give --organization with --account or --email, or --operator alone.",
        )
    if operator and (account or email):
        raise UserError("An operator has no account or organization", "Use --operator alone.")
    settings = running_settings(context)
    from deploy.login_links import LINK_MINUTES, link_for_operator, link_for_person

    if operator:
        link = link_for_operator(settings, operator)
    else:
        link = link_for_person(settings, organization, account, email)
    typer.echo(link)
    warn(f"The first person to open it is signed in. It works once, for {LINK_MINUTES} minutes.")
