"""Parsers of what operators type: each returns the value of an event, or raises InvalidText with a hint."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar, get_args

from directory.errors import InvalidText
from tally_client.derived_ids import normal_email
from tally_client.events.directory import EMAIL_PART, Plan, Role
from tally_client.events.envelope import CONTROLS, MAX_COUNT
from tally_client.validity import InvalidRecord, policy_hour

Word = TypeVar("Word", bound=str)
ROLES: tuple[Role, ...] = get_args(Role)
PLANS: tuple[Plan, ...] = get_args(Plan)
LONGEST_NAME = 512
LONGEST_EMAIL = 320
YES, NO = ("yes", "true", "1"), ("no", "false", "0")

_CONTROL = re.compile(f"[{CONTROLS}]")
_EMAIL = re.compile(f"{EMAIL_PART}@{EMAIL_PART}")
_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2})?([Zz]|[+-][0-9]{2}:[0-9]{2}))?")


def parse_name(text: str, what: str = "name", may_be_empty: bool = False) -> str:
    """Return a name without the blanks around it."""
    _refuse_controls(text, what)
    name = text.strip()
    if not name and not may_be_empty:
        raise InvalidText(f"The {what} is empty", "Give at least one visible character.")
    if len(name) > LONGEST_NAME:
        raise InvalidText(f"The {what} has {len(name)} characters", f"At most {LONGEST_NAME} are possible.")
    return name


def parse_email(text: str) -> str:
    """Return an e-mail address in its normal form."""
    _refuse_controls(text, "e-mail")
    email = normal_email(text)
    if not _EMAIL.fullmatch(email) or len(email) > LONGEST_EMAIL:
        hint = f"Write name@example.com: one @, no blanks, at most {LONGEST_EMAIL} characters."
        raise InvalidText(f"The e-mail {text!r:.200} is not an address", hint)
    return email


def parse_role(text: str) -> Role:
    """Return a role; capitals, blanks and hyphens are accepted, as in "Primary Owner"."""
    return _one_of("role", text, ROLES)


def parse_plan(text: str) -> Plan:
    """Return a plan, spelled as freely as a role."""
    return _one_of("plan", text, PLANS)


def parse_yes_or_no(text: str, what: str) -> bool:
    """Return True for yes, False for no."""
    word = text.strip(" ").lower()
    if word not in YES + NO:
        raise InvalidText(f"The {what} is {text!r:.200}", "Write yes or no.")
    return word in YES


def parse_discount(text: str) -> str:
    """Return the fraction of list price that is not paid, in one spelling: "0.15" for 0.15, .150 and 15%."""
    number = text.strip(" ").removesuffix("%").rstrip(" ")
    hint = "Write a fraction from 0 to 1 such as 0.15, or 15%, exact to six decimals of the fraction."
    if not _DECIMAL.fullmatch(number if not number.startswith(".") else f"0{number}"):
        raise InvalidText(f"The discount {text!r:.200} is not a plain decimal number", hint)
    fraction = Decimal(number) / (100 if "%" in text else 1)
    if fraction > 1:
        raise InvalidText(f"The discount {text!r:.200} is more than all of the price", hint)
    if fraction != round(fraction, 6):
        raise InvalidText(f"The discount {text!r:.200} has more than six decimals", hint)
    return f"{fraction.normalize():f}"


def parse_seats(number: int) -> int:
    """Return a number of seats."""
    if not 0 <= number <= MAX_COUNT:
        raise InvalidText(f"{number:,} is not a number of seats", f"Give a number from 0 to {MAX_COUNT:,}.")
    return number


def parse_hour(text: str, now: datetime) -> datetime:
    """Return the UTC hour from which terms are in force: the current one for an empty text, midnight for a date."""
    if not text:
        return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hint = "Write 2026-12-31, or 2026-12-31T13:00Z with its time zone; it may be in the future."
    if not _MOMENT.fullmatch(text):
        raise InvalidText(f"The time {text!r:.200} is not a date, or not a time with a zone", hint)
    try:
        moment = datetime.fromisoformat(text.upper())
        return policy_hour(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except ValueError as error:
        raise InvalidText(f"The time {text!r:.200} is not in the calendar: {error}", hint) from error
    except InvalidRecord as error:
        raise InvalidText(f"The time {text!r:.200} cannot be used: {error.detail}", hint) from error


def same_text(text: str) -> str:
    """Return the form in which two spellings of a name are one name: trimmed, in NFC, without case."""
    return unicodedata.normalize("NFC", text.strip()).casefold()


def _one_of(what: str, text: str, words: Sequence[Word]) -> Word:
    spelled = re.sub(r"[ -]+", "_", text.strip(" ").lower())
    for word in words:
        if word == spelled:
            return word
    raise InvalidText(f"The {what} is {text!r:.200}", f"Use one of {', '.join(words)}.")


def _refuse_controls(text: str, what: str) -> None:
    if found := _CONTROL.search(text):
        where = "ends in" if found.end() == len(text) else "contains"
        kind = "a line break" if found[0] in "\n\r\u2028\u2029" else "a control character"
        raise InvalidText(f"The {what} {text!r:.200} {where} {kind}", "Names and addresses are one line of text.")
