"""Which list of prices is in force, and which the settings name: brought together when the stack is made ready, told
apart everywhere else. A command that reads never changes it."""

import getpass
import os
import socket
from pathlib import Path

from clickhouse_connect.driver.client import Client

from deploy.audit import note_money
from deploy.errors import ExitCode, UserError
from deploy.settings import Settings
from pricing.price_table import LoadResult, is_in_force, list_in_force, load_prices
from queries.errors import PriceListError


def prepare_prices(settings: Settings, client: Client) -> list[str]:
    """Put the list that the settings name in force; what is to be said of it.

    Without `prices_file`, that is the shipped list, but an own list that is in force stays: a variable that was
    forgotten must not change what everybody's usage costs. A list that cannot be put in force is told, and what was in
    force stays; before the first there is nothing to stay, so then it is raised as PriceListError.
    """
    held = list_in_force(client)
    if settings.prices_file is None and held and not held.is_shipped:
        return [f"prices_file is not set, so {held}, stays in force; `tally prices load --shipped` ends that"]
    try:
        _load(settings, client, settings.prices_file)
    except PriceListError as error:
        if held is None:
            raise
        return [f"{error}. Until then {held}, stays in force. {error.hint}"]
    return []


def load(settings: Settings, client: Client, path: Path | None, shipped: bool, revise: bool) -> LoadResult:
    """Put the list in `path`, that of `prices_file` or the shipped one in force.

    Raises UserError when none is named and an own list would be given up for the shipped one by that.
    """
    path = None if shipped else path or settings.prices_file
    held = list_in_force(client)
    if path is None and not shipped and held and not held.is_shipped:
        message = f"No list is named, and {held}, is in force"
        raise UserError(message, "Name a FILE, set prices_file, or say --shipped.", ExitCode.USAGE)
    return _load(settings, client, path, revise)


def _load(settings: Settings, client: Client, path: Path | None, revise: bool = False) -> LoadResult:
    """The same as `load_prices`; that another list came into force stands in the audit log."""
    loaded = load_prices(client, path, by=user_name(), revise=revise)
    if loaded.changed:
        facts = {"prices": loaded.prices, "list": loaded.revision, "file": str(path or "shipped")}
        note_money(client, settings.clock(), facts)
    return loaded


def difference(settings: Settings, client: Client) -> str:
    """What is wrong between `prices_file` and what is in force; empty without the setting."""
    try:
        if settings.prices_file is None or is_in_force(client, settings.prices_file):
            return ""
        wrong = f"prices_file is {settings.prices_file}"
    except PriceListError as error:
        wrong = str(error)
    return f"{wrong}, but in force is {list_in_force(client) or 'no list'}"


def require_named_prices(settings: Settings, client: Client) -> None:
    """Raises UserError when the settings name another list than the one that a report would be made with."""
    if said := difference(settings, client):
        hint = "`tally prices load` puts the file in force; `tally prices list` shows what is."
        raise UserError(said, hint, ExitCode.REFUSED)


def user_name() -> str:
    """Who runs this, and where."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"
