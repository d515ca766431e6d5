"""What the directory says is worked out in one place each: seats and invites, memberships, and present versions."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READING = ("sinks", "queries", "access", "pricing", "reports", "directory", "api", "deploy")
VIEWS = "sinks/schema/views/"


def texts() -> Iterator[tuple[str, str]]:
    """Every file that SQL of the product is in, by its path from the root."""
    for package in READING:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix in (".sql", ".py"):
                yield str(path.relative_to(ROOT)), path.read_text()


def readers(*views: str) -> set[str]:
    """The files whose SQL reads one of these views."""
    named = re.compile(rf"\b(?:FROM|JOIN) (?:{'|'.join(views)})\b")
    return {name for name, text in texts() if named.search(text)}


def test_seats_and_invites_are_counted_by_day_once() -> None:
    counted = {name for name in readers("seat_changes", "invite_changes") if name.startswith((VIEWS, "reports/"))}
    assert counted == {f"{VIEWS}seats_by_day.sql"}
    assert readers("seats_by_day") == {"reports/metrics/sql/seats.sql"}


def test_memberships_follow_from_one_view_and_their_days_from_it() -> None:
    views = {name for name, text in texts() if name.startswith(VIEWS) and "'group.joined'" in text}
    assert views == {f"{VIEWS}group_memberships.sql"}
    assert readers("group_memberships") > {f"{VIEWS}group_days.sql", "reports/exports/focus/charges.sql"}
    days = {name for name, text in texts() if re.search(r"toDate\([^,]*\b(joined_at|left_at)\b", text)}
    assert days == {f"{VIEWS}group_days.sql"}


def test_the_present_version_of_an_object_is_found_once() -> None:
    """Names of groups and machines come from events of several types, and a plan in force is not the last one."""
    found = {name for name, text in texts() if re.search(r"argMax\(.*\bdetail\b.*\bplace\)", text)}
    assert found - {f"{VIEWS}{name}.sql" for name in ("directory_changes", "group_names", "machine_names")} == {
        f"{VIEWS}directory_objects.sql",
        f"{VIEWS}seats_by_day.sql",
        "access/membership.sql",
    }


@pytest.mark.parametrize("change", ["seat.assigned", "invite.sent"])
def test_who_has_a_seat_or_an_invite_follows_from_one_view(change: str) -> None:
    view = "seat_changes" if change == "seat.assigned" else "invite_changes"
    found = {name for name, text in texts() if name.endswith(".sql") and f"'{change}'" in text}
    assert found - {"reports/metrics/sql/person_known.sql"} == {f"{VIEWS}{view}.sql"}
