"""`tally sign-out`."""

from typing import Annotated

import typer

from cli.console import running_settings
from deploy.errors import UserError


def command(
    context: typer.Context,
    organization: Annotated[str, typer.Option(help="The organization's UUID: signs out all its people.")] = "",
    account: Annotated[str, typer.Option(help="Only this account of the organization.")] = "",
    operator: Annotated[str, typer.Option(help="The name of an operator.")] = "",
) -> None:
    """End links and sessions immediately, on all devices."""
    if bool(operator) == bool(organization) or (operator and account):
        raise UserError(
            "The command needs an organization or an operator",
            "Give --organization, alone or with --account, or --operator alone.",
        )
    settings = running_settings(context)
    from deploy.login_links import sign_out

    typer.echo(f"{sign_out(settings, organization, account, operator)} links and sessions were ended.")
