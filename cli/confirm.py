"""Confirmation of actions that cannot be undone."""

import sys

import typer

from deploy.errors import UserError


def confirm(question: str, given: bool) -> None:
    """Return if `given` (--yes) or if the user at the terminal confirms. Raises UserError otherwise."""
    if given:
        return
    if not sys.stdin.isatty():
        raise UserError(f"{question} There is no terminal to confirm it", "Confirm it with --yes.")
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        raise KeyboardInterrupt from None
    if not agreed:
        raise UserError("Nothing was changed")
