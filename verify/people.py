"""People, by independent rules: the names that follow from profiles, tombstones and the directory."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

from verify.compare import Key, Pair, Row
from verify.order import LogPlace, history, log_place
from verify.records import Record
from verify.timestamps import microsecond_text, parse_moment
from verify.validity import Event

KEY = ("organization_id", "account_id", "forgotten", "source")
VALUES = ("email", "name", "event_id", "occurred_at", "logged_at", "log_offset")
PEOPLE_KEY = ("organization_id", "account_id")
PEOPLE_VALUES = ("email", "name", "forgotten")
QUERY = "SELECT toString(organization_id), toString(account_id), email, name, toUInt8(forgotten) FROM people"
NOBODY = "00000000-0000-0000-0000-000000000000"


class Told(NamedTuple):
    """A row of `profiles`."""

    organization_id: str
    account_id: str
    forgotten: int
    source: str
    email: str
    name: str
    event_id: str
    occurred_at: str
    logged_at: str
    log_offset: int

    @property
    def place(self) -> LogPlace:
        """The row's place in the log."""
        return log_place(self.source, self.logged_at, self.log_offset)


def told_of(source: str, event: Event, record: Record) -> Told:
    """Return a profile's row; without an event a tombstone's, which has no organization and the time of the log."""
    if not event:
        times = f"{record.logged_at}000", record.logged_at
        return Told(NOBODY, record.key_text, 1, source, "", "", "", *times, record.offset)
    said = event["email"], event["name"], event["event_id"], microsecond_text(parse_moment(event["occurred_at"]) or 0)
    return Told(event["organization_id"], event["account_id"], 0, source, *said, record.logged_at, record.offset)


def tombstones(rows: Iterable[Told]) -> dict[str, tuple[str, LogPlace]]:
    """Return, by account, when it was last forgotten, and the last tombstone's place in the log."""
    found: dict[str, tuple[str, LogPlace]] = {}
    for told in rows:
        if told.forgotten:
            at, place = found.get(told.account_id, (told.occurred_at, told.place))
            found[told.account_id] = max(at, told.occurred_at), max(place, told.place)
    return found


def kept(rows: Iterable[Told], forgotten: Mapping[str, tuple[str, LogPlace]]) -> Iterator[tuple[Key, Row]]:
    """Yield the last of the rows of each key; rows that a tombstone follows in the log are erased.

    The rows are ordered by key, then by time and place.
    """
    there = (told for told in rows if told.forgotten or not _stands_before(told, forgotten))
    for key, same in groupby(there, lambda told: tuple(told[: len(KEY)])):
        *_, last = same
        yield key, tuple(last[len(KEY) :])


def without_lost(
    pairs: Iterable[Pair], forgotten: Mapping[str, tuple[str, LogPlace]], has_lost: Callable[[Told], bool]
) -> Iterator[Pair]:
    """Yield the pairs that can be compared although the log is compacted and rows of one key are merged.

    A tombstone's record is removed after a while, and a profile's once the account has a later one; the row of a
    removed record is valid if it is the newest. A row that follows a tombstone but has an earlier time may have been
    merged into what the tombstone then erased. No view shows it in either case.
    """
    when = VALUES.index("occurred_at")
    for key, wanted, found in pairs:
        if wanted and not found and not key[KEY.index("forgotten")]:
            at, _ = forgotten.get(key[KEY.index("account_id")], ("", ()))
            if wanted[when] < at:
                continue
        if wanted is None and found and key[KEY.index("forgotten")]:
            continue
        lost = [row for row in found if has_lost(Told(*key, *row))]
        if lost and len(lost) == len(found) == 1 and (wanted is None or wanted[when] <= lost[0][when]):
            continue
        yield key, wanted, found


def expected_people(rows: Iterable[Told], directory: Iterable[tuple[Key, Row]]) -> dict[tuple[str, str], Row]:
    """Return, by (organization, account), e-mail, name and forgotten as the view `people` must have them."""
    told = list(rows)
    forgotten, lives = tombstones(told), _lives(directory)
    named: dict[tuple[str, str], tuple[tuple[str, LogPlace], str, str]] = {}
    for each in told:
        who = each.organization_id, each.account_id
        deleted, returned_at = lives.get(who, (False, ""))
        if not each.forgotten and not deleted and _counts(each, forgotten, returned_at):
            found = (each.occurred_at, each.place), each.email, each.name
            named[who] = max(found, named.get(who, found))
    people: dict[tuple[str, str], Row] = {who: (email, name, 0) for who, (_, email, name) in named.items()}
    known = {account for _, account in named}
    return people | {(NOBODY, account): ("", "", 1) for account in forgotten if account not in known}


def _counts(told: Told, forgotten: Mapping[str, tuple[str, LogPlace]], returned_at: str) -> bool:
    if told.account_id not in forgotten:
        return True
    is_newer = told.occurred_at >= forgotten[told.account_id][0]
    is_of_now = bool(returned_at) and told.occurred_at >= returned_at
    return told.place > forgotten[told.account_id][1] and (is_newer or is_of_now)


def _stands_before(told: Told, forgotten: Mapping[str, tuple[str, LogPlace]]) -> bool:
    return told.account_id in forgotten and told.place < forgotten[told.account_id][1]


def _lives(directory: Iterable[tuple[Key, Row]]) -> dict[tuple[str, str], tuple[bool, str]]:
    """Return, by (organization, account), if the account is deleted, and since when it exists again ("" if it never
    was deleted)."""
    lives: dict[tuple[str, str], tuple[bool, str]] = {}
    ever_deleted: set[tuple[str, str]] = set()
    for change in history(directory, ("member.joined", "member.removed", "account.deleted")):
        who = change.organization_id, change.subject_id
        _, returned_at = lives.get(who, (False, ""))
        if change.type == "account.deleted":
            ever_deleted.add(who)
            lives[who] = True, ""
        elif change.type == "member.joined":
            lives[who] = False, returned_at or (change.place[0] if who in ever_deleted else "")
        else:
            lives[who] = False, returned_at
    return lives
