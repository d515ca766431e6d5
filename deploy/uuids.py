"""Ids typed by users."""

from deploy.errors import ExitCode, UserError
from tally_client.events.envelope import NIL
from tally_client.validity import bare


def parse_uuid(text: str, what: str = "organization") -> str:
    """Return an id in the form that tables use; upper case is accepted. Raises UserError with what it should be the id
    of."""
    try:
        return bare(text)
    except ValueError:
        why = "is the nil UUID, which means none" if text == NIL else "is not a UUID"
        hint = "Use the id in the events."
        raise UserError(f"{what} is {text!r}, which {why}", hint, ExitCode.USAGE) from None
