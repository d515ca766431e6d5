"""`tally prices`: check, list, load."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cli.console import cell, out, print_json, running_settings, warn
from deploy.counts import counted
from deploy.errors import ExitCode, UserError

if TYPE_CHECKING:
    from pricing.price_table import LoadedList

app = typer.Typer(name="prices", help="The price list.", no_args_is_help=True)

ListFile = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="A price list as CSV; without it, the one in the settings.")
]

_UNITS = ("input", "cache read", "5m write", "1h write", "output")


@app.command()
def check(
    context: typer.Context,
    path: ListFile = None,
) -> None:
    """Check a price list without loading it."""
    from pricing.price_table import read_price_list

    path = path or running_settings(context).prices_file
    listed = read_price_list(path)
    name = path or "The shipped list"
    prices, models = counted(len(listed.rows), "price"), counted(len(listed.models), "model")
    typer.echo(f"{name} is a valid price list: {prices} of {models}.")


@app.command("list")
def show(
    context: typer.Context,
    history: Annotated[bool, typer.Option("--history", help="Show every list that was loaded, and by whom.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show the list in force and its origin: standard prices in USD; with --json, all prices."""
    settings = running_settings(context)
    from deploy.connections import report_client
    from deploy.prices import difference
    from pricing.price_table import list_in_force, loaded_lists

    client = report_client(settings)
    if history:
        _show_history(loaded_lists(client), as_json)
        return
    held = list_in_force(client)
    if held is None:
        raise UserError("No price list is in force", "Load one with `tally prices load`.", ExitCode.REFUSED)
    if said := difference(settings, client):
        warn(f"{said}; put the file in force with `tally prices load`")
    rows = list(client.query(_IN_FORCE).named_results())
    if as_json:
        print_json({"list": held, "prices": rows})
        return
    typer.echo(f"In force is {held}: {counted(held.prices, 'price')}.")
    table = Table("model", "from", *(f"{unit} / 1M tokens" for unit in _UNITS))
    for row in rows:
        if row["model"] and (row["service_tier"], row["context_window"], row["inference_geo"], row["speed"]) == _PLAIN:
            usd = [row[column] for column in _TOKENS]
            cells = ["" if price is None else f"{(price * 1_000_000).normalize():f}" for price in usd]
            table.add_row(cell(row["model"]), f"{row['in_force_from']:%Y-%m-%d %H:%M}", *cells)
    out.print(table)


@app.command()
def load(
    context: typer.Context,
    path: ListFile = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="The list that is part of Tally.")] = False,
    revise: Annotated[
        bool,
        typer.Option("--revise", help="Load it even if issued reports depend on other prices: they get new revisions."),
    ] = False,
) -> None:
    """Put this price list in force, replacing the current one. Every list that was ever in force is kept."""
    if path and shipped:
        raise UserError("FILE and --shipped exclude each other", "Give only one of them.")
    settings = running_settings(context)
    from deploy import prices
    from deploy.connections import report_client

    client = report_client(settings)
    loaded = prices.load(settings, client, path, shipped, revise)
    became = "is now in force" if loaded.changed else "was already in force"
    typer.echo(f"List {loaded.revision} with {counted(loaded.prices, 'price')} {became}.")
    if said := prices.difference(settings, client):
        warn(f"{said}: the next start of `tally up` or `tally migrate` loads the file again")


def _show_history(lists: "list[LoadedList]", as_json: bool) -> None:
    if as_json:
        print_json(lists)
        return
    for each in lists:
        typer.echo(f"{each}: {counted(each.prices, 'price')}, sha256 {each.list}")


_PLAIN = ("standard", "0-200k", "global", "standard")
_TOKENS = (
    *("uncached_input_token_usd", "cache_read_input_token_usd", "cache_creation_5m_input_token_usd"),
    *("cache_creation_1h_input_token_usd", "output_token_usd"),
)
_IN_FORCE = """
SELECT * FROM prices_in_force
ORDER BY model, service_tier, context_window, inference_geo, speed, in_force_from
"""
