"""What operators type about organizations and members: what is taken, and what each refusal says."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from directory.errors import InvalidText
from directory.texts import (
    parse_discount,
    parse_email,
    parse_hour,
    parse_name,
    parse_plan,
    parse_role,
    parse_seats,
    parse_yes_or_no,
    same_text,
)
from tally_client.derived_ids import account_of_email, derived_id, normal_email

NOW = datetime(2026, 12, 1, 10, 42, 7, 5, tzinfo=UTC)
ORGANIZATION = "aaaaaaaa-0000-4000-8000-000000000001"


def hour(text: str) -> datetime:
    return parse_hour(text, NOW)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_name, "  Acme & Söhne \U0001f431 ", "Acme & Söhne \U0001f431"),
        (parse_name, "x" * 512, "x" * 512),
        (parse_email, " Ada.L@Example.COM ", "ada.l@example.com"),
        (parse_email, "A\u030ada@x", "åda@x"),
        (parse_role, "Primary Owner", "primary_owner"),
        (parse_role, "primary-owner", "primary_owner"),
        (parse_role, " MEMBER ", "member"),
        (parse_plan, "Team", "team"),
        (parse_plan, "enterprise seat-based", "enterprise_seat_based"),
        (parse_discount, "0.15", "0.15"),
        (parse_discount, ".150000", "0.15"),
        (parse_discount, "15%", "0.15"),
        (parse_discount, "17.5 %", "0.175"),
        (parse_discount, "0", "0"),
        (parse_discount, "100%", "1"),
        (parse_discount, "1.000", "1"),
        (parse_discount, "0.000001", "0.000001"),
        (parse_discount, "18.1818%", "0.181818"),
        (parse_seats, 0, 0),
        (hour, "", datetime(2026, 12, 1, 10, tzinfo=UTC)),
        (hour, "2027-01-01", datetime(2027, 1, 1, tzinfo=UTC)),
        (hour, "2026-11-30t23:00z", datetime(2026, 11, 30, 23, tzinfo=UTC)),
        (hour, "2026-12-01 01:00:00+02:00", datetime(2026, 11, 30, 23, tzinfo=UTC)),
    ],
)
def test_what_is_meant_is_taken(parse: Callable[[object], object], text: object, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "why"),
    [
        (parse_name, "Acme\n", "'Acme\\n' ends in a line break"),
        (parse_name, "Ac\x1b[31mme", "contains a control character"),
        (parse_name, "\u2028Acme", "contains a line break"),
        (parse_name, "Acme\x7f", "ends in a control character"),
        (parse_name, "  ", "is empty"),
        (parse_name, "x" * 513, "has 513 characters"),
        (parse_email, "ada@example.com\n", "ends in a line break"),
        (parse_email, "ada", "'ada' is not an address"),
        (parse_email, "a@b@c", "is not an address"),
        (parse_email, "a b@c", "is not an address"),
        (parse_email, "@", "is not an address"),
        (parse_email, "", "is not an address"),
        (parse_email, f"{'x' * 319}@x", "is not an address"),
        (parse_role, "boss", "The role is 'boss'"),
        (parse_role, "member\n", "The role is 'member\\n'"),
        (parse_role, "", "The role is ''"),
        (parse_plan, "free", "The plan is 'free'"),
        (parse_discount, "0.1234567", "more than six decimals"),
        (parse_discount, "12.34567%", "more than six decimals"),
        (parse_discount, "1.1", "more than all of the price"),
        (parse_discount, "101%", "more than all of the price"),
        (parse_discount, "15", "more than all of the price"),
        (parse_discount, "-0.1", "not a plain decimal number"),
        (parse_discount, "1e-2", "not a plain decimal number"),
        (parse_discount, "NaN", "not a plain decimal number"),
        (parse_discount, "٠.١", "not a plain decimal number"),
        (parse_discount, "0.1\n", "not a plain decimal number"),
        (parse_discount, "0." + "1" * 21, "not a plain decimal number"),
        (parse_seats, -1, "-1 is not a number of seats"),
        (parse_seats, 1_000_000_001, "is not a number of seats"),
        (hour, "2026-12-01T10:30Z", "is not a whole UTC hour"),
        (hour, "2026-12-01T10:00", "not a time with a zone"),
        (hour, "2026-12-01T10:00+05:30", "is not a whole UTC hour"),
        (hour, "2026-02-30", "is not in the calendar"),
        (hour, "2026-12-01\n", "is not a date"),
        (hour, "tomorrow", "is not a date"),
        (hour, "1969-12-31", "is not between 1970 and 2200"),
        (hour, "2200-01-01", "is not between 1970 and 2200"),
        (hour, "9999-12-31T23:00-23:00", "is not between 1970 and 2200"),
        (lambda text: parse_yes_or_no(str(text), "seat"), "premium", "The seat is 'premium'"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(
    parse: Callable[[object], object], text: object, why: str
) -> None:
    with pytest.raises(InvalidText) as refused:
        parse(text)
    assert why in str(refused.value)
    assert refused.value.hint


def test_yes_and_no() -> None:
    assert [parse_yes_or_no(word, "seat") for word in (" Yes ", "true", "1", "NO", "false", "0")] == [True] * 3 + [
        False
    ] * 3


def test_one_person_has_one_account_however_the_address_is_written() -> None:
    account = account_of_email(ORGANIZATION, "Ada@Example.com")
    assert account == account_of_email(ORGANIZATION, " ada@example.COM ")
    assert account != account_of_email(ORGANIZATION.replace("1", "2"), "ada@example.com")
    assert normal_email("A\u030a@x") == normal_email("\u00c5@X")
    assert same_text(" Straße ") == same_text("STRASSE")


def test_derived_ids_never_change() -> None:
    """Another value would be another account, and all of its usage would count for somebody else."""
    assert account_of_email(ORGANIZATION, "ada@example.com") == "6ee5c1f9-4622-5e65-8455-987d64d2b218"
    assert derived_id("a", "bc") != derived_id("ab", "c")
