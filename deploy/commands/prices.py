"""`tally prices`: check, list, load."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from deploy.commands.common import out, running_settings, settings_of

app = typer.Typer(name="prices", help="The list of prices.", no_args_is_help=True)

_UNITS = ("input", "cache read", "5m write", "1h write", "output")


@app.command()
def check(path: Annotated[Path, typer.Argument(metavar="FILE", help="A price list as CSV.")]) -> None:
    """Check a price list without loading it."""
    from reports.prices import read_price_list

    listed = read_price_list(path)
    typer.echo(f"{path} is a good price list: {len(listed.rows):,} prices of {len(listed.models)} models.")


@app.command("list")
def show(context: typer.Context) -> None:
    """Show the list that the settings name (the shipped one without `prices_file`), standard prices in USD."""
    settings = settings_of(context)
    from reports.prices import read_price_list

    table = Table("model", "from", *(f"{unit} / 1M tokens" for unit in _UNITS))
    for row in read_price_list(settings.prices_file).rows:
        key = row.key
        if key.model and (key.service_tier, key.context_window, key.inference_geo, key.speed) == _PLAIN:
            cells = ["" if usd is None else f"{(usd * 1_000_000).normalize():f}" for usd in row.usd[: len(_UNITS)]]
            table.add_row(key.model, f"{key.effective_from:%Y-%m-%d %H:%M}", *cells)
    out.print(table)


@app.command()
def load(context: typer.Context) -> None:
    """Add to ClickHouse what it lacks of the list that the settings name."""
    settings = running_settings(context)
    from deploy.export import report_client
    from reports.prices import load_prices

    loaded = load_prices(report_client(settings), settings.prices_file)
    typer.echo(f"{loaded.added:,} prices added; the list's revision is {loaded.revision}.")


_PLAIN = ("standard", "0-200k", "global", "standard")
