"""`tally topics create`."""

import asyncio
from typing import Annotated

import typer

from cli.console import print_json, running_settings, warn
from deploy.counts import counted

app = typer.Typer(name="topics", help="The topics in Kafka.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `create` a subcommand although it is the only one."""


@app.command()
def create(
    context: typer.Context,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds to wait for a broker that is starting.")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Create missing topics and report how existing ones differ from their configuration; existing topics are not
    changed."""
    settings = running_settings(context)
    from streams.topics import ensure_topics, topic_specs

    specs = topic_specs(settings.partitions)
    options = settings.client_options()
    report = asyncio.run(
        ensure_topics(
            settings.kafka_bootstrap, specs, replication=settings.replication_factor, timeout=timeout, **options
        )
    )
    if as_json:
        print_json({"created": report.created, "differences": report.differences})
        return
    for line in report.differences:
        warn(line)
    typer.echo(f"{counted(len(report.created), 'topic')} created, {len(specs) - len(report.created)} already existed.")
