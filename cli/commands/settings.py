"""`tally settings`."""

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from cli.console import print_json, settings_and_origins, warn
from deploy.settings import Settings, is_secret, variable_of

_HEADER = """\
# Every setting, as a tally.toml. Values are from the stack that runs over data_dir, if there is one, then from the
# environment (kafka_bootstrap: TALLY_KAFKA_BOOTSTRAP), then from tally.toml in the working folder (or --config FILE,
# or TALLY_CONFIG), then from a flag (--kafka-bootstrap); later ones override. Secrets have no flag and are hidden."""


def command(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print the values as JSON.")] = False,
) -> None:
    """Print every setting with its current value and origin, as a settings file."""
    found = settings_and_origins(context)
    settings = found.settings
    for remark in found.remarks:
        warn(remark)
    if as_json:
        print_json({name: _shown(settings, name) for name in Settings.model_fields} | {"from": found.origins})
        return
    typer.echo(_HEADER)
    for name, field in Settings.model_fields.items():
        value = None if is_secret(name) else getattr(settings, name)
        line = f"# {name} =" if value is None else f"{name} = {_toml(value)}"
        secret = f"; secret, set it in {variable_of(name)}" if is_secret(name) else ""
        origin = f"; from {found.origins[name]}" if name in found.origins else ""
        typer.echo(f"{line}  # {field.description}{secret}{origin}")


def _shown(settings: Settings, name: str) -> Any:
    value = getattr(settings, name)
    return ("set" if value and value.get_secret_value() else None) if is_secret(name) else value


def _toml(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return value.isoformat() if isinstance(value, datetime) else json.dumps(str(value))
