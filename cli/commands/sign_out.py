"""`tally sign-out`."""

from typing import Annotated

import typer

from cli.console import running_settings
from deploy.errors import UserError


def command(
    context: typer.Context,
    organization: Annotated[str, typer.Option(help="The organization's UUID: everybody of it.")] = "",
    account: Annotated[str, typer.Option(help="Of the organization this account alone.")] = "",
    operator: Annotated[str, typer.Option(help="The operator of this name.")] = "",
) -> None:
    """End links and sessions at once, wherever they are."""
    if bool(operator) == bool(organization) or (operator and account):
        raise UserError("Say whom to sign out", "--organization, alone or with --account, or --operator alone.")
    settings = running_settings(context)
    from deploy.login_links import sign_out

    typer.echo(f"{sign_out(settings, organization, account, operator)} links and sessions were ended.")
