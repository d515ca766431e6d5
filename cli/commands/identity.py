"""`tally identity`: set, show, remove."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

from cli.console import out, print_json, running_settings
from deploy.errors import printable

app = typer.Typer(name="identity", help="Identity providers whose tokens sign people in.", no_args_is_help=True)

Organization = Annotated[str, typer.Option(help="The organization's UUID.")]


@app.command("set")
def save(
    context: typer.Context,
    organization: Organization,
    issuer: Annotated[str, typer.Option(help="The tokens' claim iss, exactly.")],
    audience: Annotated[str, typer.Option(help="Value that the tokens' claim aud must contain.")],
    jwks: Annotated[str, typer.Option(help="URL of the provider's public keys (https), or a file with them.")],
    claim: Annotated[str, typer.Option(help="The claim with the account's UUID; or email, if it is verified.")],
    token_type: Annotated[
        str, typer.Option("--typ", help="Value that the tokens' header typ must have, such as at+jwt.")
    ] = "",
    authorized_party: Annotated[
        str, typer.Option("--azp", help="Value of the tokens' claim azp, if it is not the audience.")
    ] = "",
) -> None:
    """Accept the tokens of a provider for an organization, replacing the previous provider."""
    settings = running_settings(context)
    from access.identity_providers import Provider
    from deploy.identity_providers import save as keep

    kept, keys = keep(settings, Provider(organization, issuer, audience, jwks, claim, token_type, authorized_party))
    typer.echo(f"Organization {kept.organization_id} accepts tokens of {printable(issuer)}, keys {', '.join(keys)}.")


@app.command()
def show(
    context: typer.Context,
    organization: Annotated[str, typer.Option(help="Only this organization.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the providers."""
    settings = running_settings(context)
    from deploy.identity_providers import providers

    found = [asdict(provider) for provider in providers(settings, organization)]
    if as_json:
        print_json(found)
        return
    table = Table(Column("organization", no_wrap=True))
    for name in ("issuer", "audience", "keys", "claim", "typ", "azp"):
        table.add_column(name, overflow="fold")
    for facts in found:
        facts["jwks"] = "stored here" if facts["jwks"].startswith("{") else facts["jwks"]
        table.add_row(*(Text(printable(fact)) for fact in facts.values()))
    out.print(table)


@app.command()
def remove(context: typer.Context, organization: Organization) -> None:
    """Stop accepting tokens for the organization; end the sessions that they began with `tally sign-out`."""
    settings = running_settings(context)
    from deploy.identity_providers import remove as end

    removed = end(settings, organization)
    typer.echo(f"Organization {removed.organization_id} no longer accepts tokens of {printable(removed.issuer)}.")
