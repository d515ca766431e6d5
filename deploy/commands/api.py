"""`tally api`."""

import logging

import typer

from deploy.commands.common import running_settings

LOG_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def command(context: typer.Context) -> None:
    """Serve the Analytics API over HTTP, until it is told to end."""
    settings = running_settings(context)
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    from deploy.api import run

    run(settings)
