"""Batches, places and repeats of one source: every record decided once, whatever is read again."""

import itertools

import pytest

from aggregators.deduplication import Horizon
from aggregators.prepared_batch import OffsetGap, TopicRecreated, fingerprint
from aggregators.source import Source
from tally_client.events import PROFILES, TOKEN
from tests.support.fold_records import LOG_MS, NIL, LogRecord, record, token, uuid
from tests.support.token_source import NAME, each_form, letters, spent, take, token_source, usage

__all__ = ["each_form"]
pytestmark = pytest.mark.usefixtures("each_form")

# -- places ------------------------------------------------------------------------------------------------


def test_a_new_source_begins_at_the_start() -> None:
    source = token_source()
    assert (source.cursor, source.next_offset, source.last_record) == (0, 0, "")


def test_a_batch_moves_cursor_and_place_to_its_end_past_control_records() -> None:
    source = token_source()
    take(source, usage(0), usage(1), end=5)
    assert (source.cursor, source.next_offset) == (5, 5)
    take(source, end=9)
    assert source.next_offset == 9
    assert source.last_record == fingerprint(usage(1))


def test_nothing_moves_before_apply() -> None:
    source = token_source()
    source.prepare(0, 1, [usage(0)])
    assert (source.cursor, source.next_offset, source.unflushed) == (0, 0, 0)
    assert spent(source.snapshot()) == []


def test_a_batch_beyond_the_cursor_is_a_gap_and_names_where_to_go_back_to() -> None:
    source = token_source()
    take(source, usage(0))
    with pytest.raises(
        OffsetGap, match=f"^{NAME}: a batch begins at offset 2, but 1 is next: seek back to 1$"
    ) as caught:
        source.prepare(2, 3, [usage(2)])
    assert caught.value.wanted == 1
    assert (source.cursor, source.pending) == (1, None)


def test_a_batch_must_be_applied_before_the_next_is_prepared() -> None:
    source = token_source()
    source.prepare(0, 1, [usage(0)])
    with pytest.raises(RuntimeError, match=f"^{NAME}: the batch up to offset 1 was prepared but not applied$"):
        source.prepare(0, 1, [usage(0)])


def test_what_was_read_before_is_trimmed() -> None:
    source = token_source()
    take(source, usage(0), usage(1))
    take(source, usage(0), usage(1), usage(2), start=0)
    take(source, usage(0), usage(1), start=0)
    assert source.next_offset == 3
    assert spent(source.snapshot()) == [(2, 3, 3)]
    assert source.duplicates == 0


# -- repeats -----------------------------------------------------------------------------------------------


def test_a_duplicate_counts_nothing_and_a_conflict_is_a_letter() -> None:
    source = token_source()
    take(source, usage(0), usage(1, event=0), usage(2, event=0, model="other"), usage(3, event=0, model="other"))
    snapshot = source.snapshot()
    assert spent(snapshot) == [(0, 1, 1)]
    assert letters(snapshot) == {2: "conflict", 3: "conflict"}, "a conflict that is sent again is told again"
    assert source.duplicates == 1


def test_an_id_is_the_organizations_and_the_types_own() -> None:
    source = token_source()
    other, execution = usage(1, event=0, organization_id=uuid(0xF)), usage(2, event=0, type="execution.used")
    take(source, usage(0), other, execution, usage(3, event=0))
    assert letters(source.snapshot()) == {}
    assert (source.next_offset, source.duplicates) == (4, 1)


@pytest.mark.parametrize("event_id", [NIL, uuid(0xABC).upper(), "x" * 36, uuid(0xABC).replace("-", "0")])
def test_an_event_id_is_a_uuid_and_somebodys(event_id: str) -> None:
    source = token_source()
    take(source, usage(0), record(1, token(event_id=event_id)), usage(2))
    snapshot = source.snapshot()
    assert letters(snapshot) == {1: "bad_id"}
    assert spent(snapshot) == [(2, 2, 2)]


def test_one_batch_over_many_blocks_is_judged_block_by_block() -> None:
    source = token_source()
    take(source, *(usage(offset, event=offset % 4) for offset in range(0, 40, 3)))
    # Offsets 0, 3, 6 and 9 bring the ids 0, 3, 2 and 1; each comes again after 12 offsets, three blocks later.
    assert spent(source.snapshot()) == [(39, 14, 14)]


def test_malformed_records_register_no_id() -> None:
    source = token_source()
    take(source, usage(0, event=7, occurred_at="2030-01-01T00:00:00Z"), usage(1, event=7))
    snapshot = source.snapshot()
    assert spent(snapshot) == [(1, 1, 1)]
    assert letters(snapshot) == {0: "in_the_future"}


# -- warming -----------------------------------------------------------------------------------------------


def test_a_restart_reads_back_to_warm_its_horizon_and_counts_nothing_until_its_place() -> None:
    source = token_source(place=18)
    assert source.cursor == 8
    before = [usage(offset) for offset in range(8, 17)]
    take(source, *before, record(17, b"nonsense"))
    assert (source.cursor, source.next_offset, source.unflushed) == (18, 18, 0)
    take(source, usage(18, event=8), usage(19))
    assert spent(source.snapshot()) == [(19, 1, 1)]


def test_the_batch_that_straddles_the_place_is_split() -> None:
    source = token_source(place=6)
    records = [
        *(usage(offset) for offset in range(4)),
        usage(4, event=0),
        usage(5, event=0, model="x"),
        usage(6, event=1),
    ]
    take(source, *records, usage(7, event=0, model="y"), usage(8))
    snapshot = source.snapshot()
    assert spent(snapshot) == [(8, 1, 1)]
    assert letters(snapshot) == {7: "conflict"}
    assert source.duplicates == 1, "only what lies at or beyond the place is counted, duplicates too"


def test_warming_keeps_the_stored_place_and_fingerprint() -> None:
    source = token_source(place=6, last_record=fingerprint(usage(5)))
    take(source, usage(0), usage(1))
    snapshot = source.snapshot()
    assert (snapshot.next_offset, snapshot.last_record) == (6, fingerprint(usage(5)))


def test_warming_starts_no_earlier_than_the_log_does() -> None:
    assert token_source(place=18, log_start=11).cursor == 11


# -- the log itself ----------------------------------------------------------------------------------------


def test_a_recreated_topic_is_refused_by_name() -> None:
    source = token_source(place=6, last_record=fingerprint(usage(5)))
    with pytest.raises(TopicRecreated, match=rf"^{NAME}: offset 5 .*`tally epoch {TOKEN}`$"):
        source.prepare(0, 7, [usage(4), usage(5, model="another"), usage(6)])
    assert source.pending is None


def test_the_same_log_is_taken_and_compared_only_while_warming() -> None:
    source = token_source(place=6, last_record=fingerprint(usage(5)))
    take(source, usage(4), usage(5), usage(6))
    assert source.last_record == fingerprint(usage(6))
    take(source, usage(7))


def test_a_fingerprint_sorts_by_offset_and_tells_records_apart() -> None:
    several = [usage(3), usage(3, model="other"), LogRecord(3, LOG_MS + 1, None, usage(3).value), record(3, None)]
    several += [LogRecord(3, -1, None, None), usage(20)]
    found = [fingerprint(each) for each in several]
    assert len(set(found)) == len(found)
    assert max(found) == found[-1]
    assert fingerprint(usage(3)) == found[0]
    assert found[0].startswith("00000000000000000003:")


# -- batches ---------------------------------------------------------------------------------------------


def test_how_a_log_is_cut_into_batches_does_not_matter() -> None:
    log = [usage(offset, event=offset // 2, model="ab"[offset % 3 == 0]) for offset in range(7)]
    whole = token_source()
    take(whole, *log)
    expected = whole.snapshot()
    for cuts in itertools.combinations(range(1, 7), 2):
        source = token_source()
        for start, end in itertools.pairwise((0, *cuts, 7)):
            take(source, *log[start:end])
        found = source.snapshot()
        assert (found.rows, letters(found), found.next_offset) == (
            expected.rows,
            letters(expected),
            expected.next_offset,
        )


@pytest.mark.parametrize(("topic", "is_recreated"), [(TOKEN, True), (PROFILES, False)])
def test_a_log_that_lacks_the_record_that_was_folded_last_is_another_one_unless_it_is_compacted(
    topic: str, is_recreated: bool
) -> None:
    last = usage(5)
    source = Source(topic, f"{topic}/0@0", 6, Horizon(4, 2), last_record=fingerprint(last))
    if is_recreated:
        with pytest.raises(TopicRecreated, match="offset 5 has a different record"):
            source.prepare(source.cursor, 7, [])
    else:
        source.apply(source.prepare(source.cursor, 7, []))
        assert source.next_offset == 7


def test_the_last_record_is_read_again_however_far_below_the_place_it_is() -> None:
    source = token_source(place=40, last_record=fingerprint(usage(3)))
    assert source.cursor == 3
    with pytest.raises(TopicRecreated):
        source.prepare(3, 40, [usage(4)])
