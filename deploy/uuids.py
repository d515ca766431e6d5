"""Ids that somebody typed."""

from deploy.errors import ExitCode, UserError
from tally_client.events.envelope import NIL
from tally_client.validity import bare


def parse_uuid(text: str, what: str = "organization") -> str:
    """An id as tables hold it; capitals will do. Raises UserError that says of what it is no id."""
    try:
        return bare(text)
    except ValueError:
        why = "is the nil UUID, which stands for none" if text == NIL else "is not a UUID"
        hint = "Use the id as the events carry it."
        raise UserError(f"{what} is {text!r}, which {why}", hint, ExitCode.USAGE) from None
