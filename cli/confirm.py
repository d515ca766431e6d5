"""A question before something that cannot be taken back."""

import sys

import typer

from deploy.errors import UserError


def confirm(question: str, given: bool) -> None:
    """Return if `given` (--yes) or if the person at the terminal says yes. Raises UserError otherwise."""
    if given:
        return
    if not sys.stdin.isatty():
        raise UserError(f"{question} Nobody can be asked here", "--yes says yes.")
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        raise KeyboardInterrupt from None
    if not agreed:
        raise UserError("Nothing was changed")
