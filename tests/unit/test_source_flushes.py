"""Bad records, whole rows and flushes of one source."""

import pytest

from aggregators import source as source_module
from aggregators.activity import ActivityFold
from aggregators.cell_tables import MINUTE, SPEND
from aggregators.deduplication import Horizon
from aggregators.directory import DirectoryFold, ProfileFold
from aggregators.folds import fold_for
from aggregators.prepared_batch import fingerprint
from aggregators.source import Source, mark_flushed
from aggregators.spend import SpendFold
from aggregators.windows import parse_hour, parse_minute
from tally_client.events import DIRECTORY, EVENTS_BY_TOPIC, PROFILES, TOKEN
from tests.support.fold_records import NIL, ORGANIZATION, PERSON, THING, LogRecord, entry, record, to_json, token, uuid
from tests.support.token_source import each_form, letters, spent, take, token_source, usage

__all__ = ["each_form"]
pytestmark = pytest.mark.usefixtures("each_form")

# -- malformed records -------------------------------------------------------------------------------------

WHOLE = to_json(token())
MALFORMED = [
    (None, "empty"),
    (b"", "not_json"),
    (b"{", "not_json"),
    (WHOLE + WHOLE, "not_json"),
    (WHOLE.replace(b'"m"', b'"\xff"'), "not_json"),
    (WHOLE[:-1] + b',"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested_too_deep"),
    (b"[]", "schema"),
    (b"null", "schema"),
    (to_json(entry("seats.purchased", seats=1)), "schema"),
    (to_json({**token(), "type": "token.unknown"}), "schema"),
    (to_json(token(output_tokens=-1)), "schema"),
    (to_json(token(output_tokens=1.5)), "schema"),
    (to_json(token(output_tokens=10**9 + 1)), "schema"),
    (to_json(token(output_tokens=10**40)), "schema"),
    (to_json(token(model="")), "schema"),
    (to_json(token(event_id="short")), "schema"),
    (to_json(token(occurred_at="2026-03-01T12:00:00")), "schema"),
    (to_json(token(occurred_at="2026-02-29T12:00:00Z")), "schema"),
    (to_json(token(occurred_at=1)), "schema"),
    (to_json(token(organization_id=ORGANIZATION.upper())), "bad_id"),
    (to_json(token(occurred_at="2024-12-31T23:59:59Z")), "too_old"),
    (to_json(token(occurred_at="2026-03-01T12:06:00Z")), "in_the_future"),
    (to_json(token(occurred_at="9999-12-31T23:59:59-01:00")), "out_of_calendar"),
]


@pytest.mark.parametrize(("value", "reason"), MALFORMED, ids=[f"{n}-{case[1]}" for n, case in enumerate(MALFORMED)])
def test_a_bad_record_is_a_letter_with_its_reason_and_stops_nothing(value: bytes | None, reason: str) -> None:
    source = token_source()
    bad = record(1, value)
    take(source, usage(0), bad, usage(2))
    snapshot = source.snapshot()
    [letter] = snapshot.rejected
    assert letter.record is bad
    assert letter.reason == reason
    assert letter.detail
    assert spent(snapshot) == [(2, 2, 2)]


# -- rows --------------------------------------------------------------------------------------------------


def test_an_attribution_is_written_once() -> None:
    source = token_source()
    take(source, usage(0, attribution={"session_id": THING}), usage(1, attribution={"session_id": THING}))
    assert len(source.snapshot().rows["attributions"]) == 1
    take(source, usage(2, attribution={"session_id": THING}), usage(3, attribution={"session_id": uuid(9)}))
    assert [row[3] for row in source.snapshot().rows["attributions"]] == [uuid(9)]


def test_what_is_remembered_of_written_attributions_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "ATTRIBUTED_LIMIT", 2)
    source = token_source()
    for offset in range(12):
        take(source, usage(offset, attribution={"session_id": uuid(offset % 3)}))
        assert len(source._attributed) <= 2
    assert {row[3] for row in source.snapshot().rows["attributions"]} == {uuid(n) for n in range(3)}


def test_directory_rows_carry_source_and_offset() -> None:
    source = Source(DIRECTORY, "tally.directory/0@2", 0, Horizon(4, 2))
    event = entry("seat.assigned", account_id=PERSON)
    take(source, record(0, event), record(1, event), record(2, {**event, "event_id": uuid(2)}))
    snapshot = source.snapshot()
    assert list(snapshot.rows) == ["directory"]
    assert [row[-2:] for row in snapshot.rows["directory"]] == [("tally.directory/0@2", 0), ("tally.directory/0@2", 2)]


def profile(offset: int, name: str, event: int = 1) -> LogRecord:
    fields = {"account_id": PERSON, "email": "a@b", "name": name, "event_id": uuid(event)}
    return record(offset, entry("profile.updated", **fields))


def test_a_repeated_profile_counts_once_and_every_tombstone_forgets_anew() -> None:
    source = Source(PROFILES, "tally.profiles/0@0", 0, Horizon(4, 2))
    tombstones = [record(offset, None, key=PERSON.encode()) for offset in (2, 5)]
    take(source, profile(0, "A"), profile(1, "A"), tombstones[0], profile(3, "A"), profile(4, "B", 2), tombstones[1])
    take(source, record(6, None, key=b"nobody"), profile(7, "C", 2))
    snapshot = source.snapshot()
    assert [(row[3], row[4], row[-1]) for row in snapshot.rows["profiles"]] == [
        *(("A", 0, 0), ("", 1, 2), ("B", 0, 4), ("", 1, 5)),
    ]
    assert letters(snapshot) == {6: "bad_id", 7: "conflict"}
    assert source.duplicates == 2


def test_profiles_are_read_again_from_the_edge_of_a_block_as_all_are() -> None:
    source = Source(PROFILES, "tally.profiles/0@0", 13, Horizon(4, 2), last_record=fingerprint(profile(7, "A")))
    assert source.cursor == 4
    take(source, profile(7, "A"), profile(13, "A"), profile(14, "B", 2))
    assert [row[3] for row in source.snapshot().rows["profiles"]] == ["B"]


# -- flushes -----------------------------------------------------------------------------------------------


def test_a_snapshot_takes_everything_once() -> None:
    source = token_source()
    take(source, usage(0, attribution={"session_id": THING}), record(1, b"nonsense"))
    assert source.unflushed == 4  # a spend cell, a minute cell, an attribution, a letter
    assert source.open_cells == 2
    snapshot = source.snapshot()
    assert set(snapshot.rows) == {"attributions", "spend_cells", "minute_cells"}
    assert (snapshot.source, snapshot.next_offset, len(snapshot.rejected)) == (source, 2, 1)
    assert source.unflushed == 0
    again = source.snapshot()
    assert (again.rows, again.rejected, again.next_offset) == ({}, [], 2)


def test_a_snapshot_is_of_its_instant() -> None:
    source = token_source()
    take(source, usage(0))
    snapshot = source.snapshot()
    take(source, usage(1), record(2, b"nonsense"))
    assert (snapshot.next_offset, snapshot.last_record, spent(snapshot)) == (1, fingerprint(usage(0)), [(0, 1, 1)])
    assert letters(snapshot) == {}
    assert spent(source.snapshot()) == [(1, 2, 2)]


HOUR, MINUTE_NUMBER = parse_hour("2026-03-01 12:00:00"), parse_minute("2026-03-01 12:00:00")
WRITTEN = {"spend_cells": HOUR + 1, "minute_cells": MINUTE_NUMBER + 1}


def test_pages_that_clickhouse_may_have_are_missing_until_they_are_loaded() -> None:
    source = token_source(place=4, first_unwritten=WRITTEN)
    take(source, *(usage(offset) for offset in range(4)))
    prepared = source.prepare(4, 5, [usage(4)])
    assert prepared.missing == {SPEND: [(ORGANIZATION, HOUR)], MINUTE: [(ORGANIZATION, MINUTE_NUMBER)]}
    key = ("user", PERSON, "", "m", "standard", "", "", "", "usage_based", NIL)
    source.load(
        SPEND, prepared.missing[SPEND], [(ORGANIZATION, "2026-03-01 12:00:00", *key, 3, 40, 0, 0, 0, 0, 44, 0, 0, 0)]
    )
    source.load(MINUTE, prepared.missing[MINUTE], [])
    source.apply(prepared)
    assert spent(source.snapshot()) == [(4, 41, 45)]


def test_idle_pages_go_and_pages_in_flight_or_of_a_waiting_batch_stay() -> None:
    source = token_source()
    take(source, usage(0))
    assert source.evict(0) == 0, "changed"
    snapshot = source.snapshot()
    assert source.evict(0) == 0, "in flight"
    mark_flushed(snapshot)
    waiting = source.prepare(1, 2, [usage(1, attribution={})])
    assert source.evict(0) == 0, "of a batch that waits"
    source.apply(waiting)
    mark_flushed(source.snapshot())
    assert source.evict(0) == 2
    assert source.open_cells == 0
    assert set(source.prepare(2, 3, [usage(2)]).missing) == {SPEND, MINUTE}
    assert source.evict(0) == 0, "nothing is open"


# -- folds -------------------------------------------------------------------------------------------------


def test_every_topic_has_its_fold() -> None:
    special = {TOKEN: SpendFold, DIRECTORY: DirectoryFold, PROFILES: ProfileFold}
    for topic in EVENTS_BY_TOPIC:
        assert type(fold_for(topic)) is special.get(topic, ActivityFold)
