"""Ids that somebody typed."""

from uuid import UUID

from deploy.errors import ExitCode, UserError


def uuid_of(text: str, what: str = "organization") -> str:
    """The canonical form of an id. Raises UserError that says of what it is no id."""
    try:
        return str(UUID(text))
    except ValueError:
        message = f"{what} is {text!r}, which is not a UUID"
        raise UserError(message, "Use the id as the events carry it.", ExitCode.USAGE) from None
