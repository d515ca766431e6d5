"""What holds of several rows that say different things of one thing, from whatever partitions and in whatever order."""

from collections.abc import Iterator, Sequence
from itertools import permutations

import pytest

from access.roles import members_by_email, read_person
from queries.organizations import organization_name
from tally_client.events import DIRECTORY, PROFILES
from tests.support.directory_log import (
    ACME,
    ADA,
    BOB,
    ELEVEN,
    GROUP,
    LOG_BEGIN,
    NOON,
    OTHER,
    TEN,
    Log,
    Said,
    profile,
    says,
)
from tests.support.fold_records import NIL
from tests.support.table_rows import database

pytestmark = pytest.mark.slow


@pytest.fixture
def log(clickhouse: str) -> Iterator[Log]:
    client = database(clickhouse)
    yield Log(client)
    client.close()


# -- profiles ----------------------------------------------------------------------------------------------

OLD, NEW = profile("old@a.example"), profile("new@a.example", ELEVEN)


@pytest.mark.parametrize("said", list(permutations([OLD, NEW])))
@pytest.mark.parametrize("partitions", [(0, 0), (0, 1), (1, 0)])
def test_the_newest_profile_holds_in_whatever_order_and_partition_it_comes(
    log: Log, said: Sequence[Said], partitions: tuple[int, int]
) -> None:
    for partition, each in zip(partitions, said, strict=True):
        log.put(PROFILES, partition, each, first=20 * (1 - partition))
    assert log.people() == [(ACME, "new@a.example", 0)]
    log.client.command("OPTIMIZE TABLE profiles FINAL")
    assert log.people() == [(ACME, "new@a.example", 0)]


def test_of_two_profiles_at_one_instant_the_last_in_the_log_holds_for_ever(log: Log) -> None:
    log.put(PROFILES, 10, profile("first@a.example"), first=900)
    log.put(PROFILES, 9, last := profile("last@a.example"), first=5)
    assert log.people() == [(ACME, "last@a.example", 0)]
    log.put(PROFILES, 9, last, profile("older@a.example", "2026-11-27T09:59:59Z"))
    log.client.command("OPTIMIZE TABLE profiles FINAL")
    assert log.people() == [(ACME, "last@a.example", 0)]


@pytest.mark.parametrize("partition", [0, 1])
def test_a_tombstone_forgets_what_any_partition_held_before_it_and_erases_it(log: Log, partition: int) -> None:
    log.put(PROFILES, 0, OLD, NEW, profile("bob@a.example", account=BOB), profile("b@b.example", NOON, OTHER), first=50)
    log.put(PROFILES, partition, ADA)
    forgotten = (NIL, "", 1)
    assert log.people() == [forgotten, (ACME, "bob@a.example", 0)]
    rows = "SELECT count() FROM profiles WHERE NOT forgotten AND account_id = {account:UUID}"
    assert log.client.query(rows, parameters={"account": ADA}).result_rows == [(0,)]
    for place in (0, 1):
        log.put(PROFILES, place, OLD, NEW, profile("late@a.example", NOON))
    assert log.people() == [forgotten, (ACME, "bob@a.example", 0)]
    log.put(PROFILES, 2, profile("again@a.example", "2026-11-30T12:00:30Z"), seconds=3600)
    assert log.people() == [(ACME, "again@a.example", 0), (ACME, "bob@a.example", 0)]
    assert log.emails(OTHER)[ADA] == ""


@pytest.mark.parametrize("in_one_flush", [True, False])
def test_a_profile_that_was_stamped_ahead_takes_none_along_that_came_after_it_was_forgotten(
    log: Log, in_one_flush: bool
) -> None:
    """A clock ran four minutes ahead; then the person was forgotten, and told of again with a right clock."""
    ahead, again = (
        profile("ahead@a.example", "2026-11-30T12:04:00Z"),
        profile("again@a.example", "2026-11-30T12:00:03Z"),
    )
    for said in [(ahead, ADA, again)] if in_one_flush else [(ahead,), (ADA, again)]:
        log.put(PROFILES, 0, *said)
    assert log.people() == [(ACME, "again@a.example", 0)]
    log.client.command("OPTIMIZE TABLE profiles FINAL")
    assert log.people() == [(ACME, "again@a.example", 0)]


def test_a_partition_that_is_written_late_brings_nobody_back(log: Log) -> None:
    log.put(PROFILES, 1, ADA)
    log._seconds = -3600
    log.put(PROFILES, 0, NEW, first=800)
    assert log.people() == [(NIL, "", 1)]
    assert log.client.query("SELECT count() FROM profiles WHERE NOT forgotten").result_rows == [(0,)]


def test_a_profile_is_shown_to_the_organization_that_told_it_alone(log: Log) -> None:
    log.put(PROFILES, 0, OLD, profile("private@new-employer.example", NOON, OTHER))
    log.put(DIRECTORY, 0, says("member.removed", at=ELEVEN, account_id=ADA))
    assert (log.emails(ACME), log.emails(OTHER)) == ({ADA: "old@a.example"}, {ADA: "private@new-employer.example"})
    log.put(PROFILES, 1, profile("bob@b.example", NOON, OTHER, BOB))
    assert BOB not in log.emails(ACME)


# -- an account that is deleted, and given again -----------------------------------------------------------


def test_whose_account_is_deleted_has_no_name_and_who_is_given_one_again_has(log: Log) -> None:
    log.put(DIRECTORY, 0, says("member.joined", account_id=ADA))
    log.put(PROFILES, 0, OLD)
    log.put(DIRECTORY, 0, says("account.deleted", at=ELEVEN, account_id=ADA))
    assert (log.people(), log.emails(ACME)) == ([], {ADA: ""})
    log.put(PROFILES, 0, ADA)
    assert (log.people(), log.emails(ACME)) == ([(NIL, "", 1)], {ADA: ""})
    log.put(PROFILES, 0, profile("ada@a.example", NOON))
    assert log.emails(ACME) == {ADA: ""}
    log.put(DIRECTORY, 0, says("member.joined", at=NOON, account_id=ADA))
    assert log.people() == [(ACME, "ada@a.example", 0)]
    assert members_by_email(log.client, ACME, "ada@a.example") == [ADA]
    assert read_person(log.client, ACME, ADA, LOG_BEGIN).role == "member"
    log.put(PROFILES, 3, OLD, NEW)
    assert log.people() == [(ACME, "ada@a.example", 0)], "what was before the account was deleted stays forgotten"


# -- the directory: the later one in the log, wherever the other one is ------------------------------------

ON_THE_DAY = f"(organization_id = '{ACME}', first = '2026-11-27', last = '2026-11-27')"
ANSWERS = {
    "discounts": "SELECT toString(discount) FROM discounts",
    "plans": "SELECT plan FROM plans",
    "group_names": "SELECT name FROM group_names",
    "group_memberships": "SELECT toString(count()) FROM group_memberships",
    "machine_names": "SELECT name FROM machine_names",
    "departures": "SELECT how FROM departures",
    "seats": f"SELECT toString(seats) FROM seats_by_day{ON_THE_DAY}",
    "invites": f"SELECT toString(invites) FROM seats_by_day{ON_THE_DAY}",
}
HOUR = {"effective_from": "2026-11-01T00:00:00Z"}
MEMBER = {"group_id": GROUP, "account_id": ADA}
KEY = {"api_key_id": GROUP, "secret_hash": "0" * 64}
PAIRS = {
    "discounts": (
        (says("discount.changed", discount="0.1", **HOUR), "0.1"),
        (says("discount.changed", discount="0.5", **HOUR), "0.5"),
    ),
    "plans": (
        (says("plan.changed", plan="team", **HOUR), "team"),
        (says("plan.changed", plan="enterprise_seat_based", **HOUR), "enterprise_seat_based"),
    ),
    "group_names": (
        (says("group.saved", group_id=GROUP, name="Ops"), "Ops"),
        (says("group.deleted", group_id=GROUP), ""),
    ),
    "group_memberships": ((says("group.joined", **MEMBER), "1"), (says("group.left", **MEMBER), "0")),
    "machine_names": (
        (says("api_key.saved", name="A", **KEY), "A"),
        (says("api_key.saved", name="B", **KEY), "B"),
    ),
    "departures": (
        (says("member.joined", account_id=ADA), None),
        (says("member.removed", account_id=ADA), "member.removed"),
    ),
    "seats": ((says("seat.assigned", account_id=ADA), "1"), (says("seat.unassigned", account_id=ADA), "0")),
    "invites": (
        (says("invite.sent", invite_id=ADA), "1"),
        (says("invite.closed", invite_id=ADA, outcome="expired"), "0"),
    ),
}
"""By view: two events of one instant, and what the view says when the one, or the other, is the later in the log."""


@pytest.mark.parametrize("view", PAIRS)
@pytest.mark.parametrize("turned", [False, True])
def test_of_two_changes_at_one_instant_the_later_one_in_the_log_holds(log: Log, view: str, turned: bool) -> None:
    (first, _), (last, expected) = reversed(PAIRS[view]) if turned else PAIRS[view]
    for places in (((0, 0), (0, 1)), ((10, 900), (9, 5)), ((0, 900), (1, 5)), ((1, 7), (0, 7))):
        log = Log(log.client)
        log.client.command("TRUNCATE TABLE directory")
        for (partition, offset), each in zip(places, (first, last), strict=True):
            log.put(DIRECTORY, partition, each, first=offset)
        for _ in "12":
            found = [row[0] for row in log.client.query(ANSWERS[view]).result_rows]
            assert found == ([] if expected is None else [expected])
            log.put(DIRECTORY, 20, first)  # sent again, after partitions were added: it changes nothing
            log.client.command("OPTIMIZE TABLE directory FINAL")


def test_of_two_terms_from_one_hour_the_one_that_was_decided_last_holds_though_it_came_first(log: Log) -> None:
    log.put(DIRECTORY, 0, says("discount.changed", at=ELEVEN, discount="0.5", **HOUR))
    log.put(DIRECTORY, 0, says("discount.changed", at=TEN, discount="0.1", **HOUR))
    assert log.client.query(ANSWERS["discounts"]).result_rows == [("0.5",)]


def test_an_organization_has_one_name(log: Log) -> None:
    log.put(DIRECTORY, 0, says("organization.created", at="2026-11-30T12:04:00Z", name="New"))
    log.put(DIRECTORY, 0, says("organization.created", at=TEN, name="Old"))
    assert organization_name(log.client, ACME) == "New"
