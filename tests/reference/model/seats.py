"""Who holds a seat and who is invited, from one organization's directory (docs/metrics.md, "Seats as of the day")."""

from collections.abc import Iterable
from datetime import datetime

from tests.reference.model.events import Event, before

GIVEN_BACK = ("seat.unassigned", "member.removed", "account.deleted")


def seat_holders(directory: Iterable[Event], moment: datetime) -> set[str]:
    """Return the accounts that hold a seat. Of two changes at the same instant the later in the log applies."""
    held: set[str] = set()
    for event in before(directory, moment):
        if event["type"] == "seat.assigned":
            held.add(event["account_id"])
        elif event["type"] in GIVEN_BACK:
            held.discard(event["account_id"])
    return held


def seats_purchased(directory: Iterable[Event], moment: datetime) -> int | None:
    """Return how many seats were bought, None while the directory does not say."""
    bought = [event["seats"] for event in before(directory, moment) if event["type"] == "seats.purchased"]
    return bought[-1] if bought else None


def pending_invites(directory: Iterable[Event], moment: datetime) -> set[str]:
    """Return the invites that were sent and not closed."""
    pending: set[str] = set()
    for event in before(directory, moment):
        if event["type"] == "invite.sent":
            pending.add(event["invite_id"])
        elif event["type"] == "invite.closed":
            pending.discard(event["invite_id"])
    return pending
