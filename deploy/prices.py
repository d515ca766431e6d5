"""The price list in force and the one that the settings name: made equal when the stack is prepared, only compared
everywhere else. A command that reads never changes the list."""

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
    """Put the price list of the settings in force; return messages about it.

    Without `prices_file` that is the shipped list, unless a custom list is in force, which stays: a forgotten variable
    must not change what usage costs. If a list cannot be put in force, a message reports it and the previous list stays
    in force; without a previous list, PriceListError is raised.
    """
    held = list_in_force(client)
    if settings.prices_file is None and held and not held.is_shipped:
        return [f"prices_file is not set, so {held}, stays in force; replace it with `tally prices load --shipped`"]
    try:
        _load(settings, client, settings.prices_file)
    except PriceListError as error:
        if held is None:
            raise
        return [f"{error}. Until then {held}, stays in force. {error.hint}"]
    return []


def load(settings: Settings, client: Client, path: Path | None, shipped: bool, revise: bool) -> LoadResult:
    """Put the list in `path`, that of `prices_file` or the shipped one in force.

    Raises UserError if none is named and the shipped list would replace a custom one.
    """
    path = None if shipped else path or settings.prices_file
    held = list_in_force(client)
    if path is None and not shipped and held and not held.is_shipped:
        message = f"No price list is named, and {held}, is in force"
        raise UserError(message, "Name a FILE, set prices_file, or use --shipped.", ExitCode.USAGE)
    return _load(settings, client, path, revise)


def _load(settings: Settings, client: Client, path: Path | None, revise: bool = False) -> LoadResult:
    """Call `load_prices`, and record a change of the list in force in the audit log."""
    loaded = load_prices(client, path, by=user_name(), revise=revise)
    if loaded.changed:
        facts = {"prices": loaded.prices, "list": loaded.revision, "file": str(path or "shipped")}
        note_money(client, settings.clock(), facts)
    return loaded


def difference(settings: Settings, client: Client) -> str:
    """Return how the list in force differs from `prices_file`; empty without that setting."""
    try:
        if settings.prices_file is None or is_in_force(client, settings.prices_file):
            return ""
        wrong = f"prices_file is {settings.prices_file}"
    except PriceListError as error:
        wrong = str(error)
    return f"{wrong}, but in force is {list_in_force(client) or 'no list'}"


def require_named_prices(settings: Settings, client: Client) -> None:
    """Raise UserError if the settings name another list than the one that a report would use."""
    if said := difference(settings, client):
        hint = "Put the file in force with `tally prices load`; `tally prices list` shows the current list."
        raise UserError(said, hint, ExitCode.REFUSED)


def user_name() -> str:
    """Return the current user and host."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"
