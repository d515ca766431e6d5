"""Ids that somebody typed."""

from deploy.errors import ExitCode, UserError
from tally_client.events.envelope import NIL
from tally_client.validity import is_uuid


def uuid_of(text: str, what: str = "organization") -> str:
    """An id as tables hold it; capitals will do. Raises UserError that says of what it is no id."""
    found = text.lower()
    if is_uuid(found):
        return found
    why = "is the nil UUID, which stands for none" if found == NIL else "is not a UUID"
    raise UserError(f"{what} is {text!r}, which {why}", "Use the id as the events carry it.", ExitCode.USAGE)
