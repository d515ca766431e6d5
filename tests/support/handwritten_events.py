"""Events as a test writes them by hand, all about a leap day, in two organizations and a third that is empty."""

from datetime import date, timedelta
from typing import Any

from tests.support.fold_records import uuid
from tests.support.folded_tables import Event, at

DAY = date(2028, 2, 29)
ORGANIZATION, OTHER, EMPTY = uuid(0xA1), uuid(0xA2), uuid(0xA3)
ADA, BEN, CLEO, DAN = (uuid(0xB0 + number) for number in range(4))
THINGS = [uuid(0xC0 + number) for number in range(40)]


def done(kind: str, person: str, day: date = DAY, clock: str = "12:00", organization: str = ORGANIZATION,
         machine: bool = False, **fields: Any) -> Event:  # fmt: skip
    actor = {"type": "api_key" if machine else "user", "id": person}
    when = at(day, clock).isoformat()
    return {"type": kind, "occurred_at": when, "organization_id": organization, "actor": actor, **fields}


def message(person: str, day: date = DAY, clock: str = "12:00", **fields: Any) -> Event:
    return done("chat.message", person, day, clock, **{"product": "chat", "conversation_id": THINGS[0], **fields})


def session(person: str, day: date = DAY, thing: str = THINGS[0], **fields: Any) -> Event:
    return done("session.activity", person, day, **{"product": "claude_code", "session_id": thing, **fields})


def entry(kind: str, day: date = DAY, clock: str = "12:00", organization: str = ORGANIZATION, **fields: Any) -> Event:
    return {"type": kind, "occurred_at": at(day, clock).isoformat(), "organization_id": organization, **fields}


def profile(person: str, name: str, day: date = DAY) -> Event:
    return entry("profile.updated", day, account_id=person, email=f"{name.lower()}@example.com", name=name)


def ago(days: int) -> date:
    return DAY - timedelta(days=days)
