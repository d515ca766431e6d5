"""`tally schema`."""

from typing import Annotated

import typer

from cli.console import print_json


def command(
    as_asyncapi: Annotated[bool, typer.Option("--asyncapi", help="Print an AsyncAPI 3 document instead.")] = False,
) -> None:
    """Print the JSON Schema of all events, or an AsyncAPI document with the topics as channels."""
    from streams.event_schema import asyncapi, json_schema

    print_json(asyncapi() if as_asyncapi else json_schema())
