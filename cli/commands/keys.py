"""`tally keys`: create, list, revoke."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Column, Table
from rich.text import Text

from cli.console import cell, out, print_json, running_settings, warn
from deploy.errors import printable

if TYPE_CHECKING:
    from datetime import datetime

    from access.keys import ApiKey

app = typer.Typer(name="keys", help="API keys.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def create(
    context: typer.Context,
    organization: Annotated[
        str, typer.Option(help="The organization's UUID; the key can read only this organization.")
    ],
    name: Annotated[str, typer.Option(help="Purpose of the key.")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until it expires.")] = 365,
    without_spend: Annotated[
        bool, typer.Option("--without-spend", help="Create a key that can read everything except spend.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Create a key with the scope read:analytics (or read:analytics.activity) and print it, this one time."""
    settings = running_settings(context)
    from deploy.keys import create_for

    now = settings.clock()
    key, text = create_for(settings, organization, name, now, now + timedelta(days=days), not without_spend)
    if as_json:
        print_json({"key": text, **_as_json(key, now)})
        return
    typer.echo(text)
    warn(
        f"It is not shown again. It expires on {key.expires_at:%Y-%m-%d}; revoke it with `tally keys revoke {key.id}`."
    )


@app.command("list")
def show(
    context: typer.Context,
    organization: Annotated[str, typer.Option(help="Only this organization.")] = "",
    as_json: Json = False,
) -> None:
    """Show all keys, without their secrets."""
    settings = running_settings(context)
    from deploy.keys import keys_of

    now = settings.clock()
    found = [_as_json(key, now) for key in keys_of(settings, organization)]
    if as_json:
        print_json(found)
        return
    table = Table(Column("id", no_wrap=True), "organization", "name", "scopes", "is", "created", "expires", "last used")
    for facts in found:
        table.add_row(*map(_cell, facts.values()))
    out.print(table)


@app.command()
def revoke(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="The key's id: the 12 digits in its middle.")],
) -> None:
    """Revoke a key immediately."""
    settings = running_settings(context)
    from deploy.keys import revoke as end

    key = end(settings, key_id)
    typer.echo(f"The key {key.id} ({printable(key.name)}) was revoked at {key.revoked_at:%Y-%m-%d %H:%M:%S} UTC.")


def _as_json(key: "ApiKey", now: "datetime") -> dict[str, Any]:
    return {
        "id": key.id,
        "organization_id": key.organization_id,
        "name": key.name,
        "scopes": list(key.scopes),
        "standing": key.standing(now),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
    }


def _cell(value: Any) -> Text:
    if isinstance(value, list):
        return cell(" ".join(value))
    return cell(f"{value:%Y-%m-%d %H:%M}" if hasattr(value, "strftime") else str(value or "never"))
