"""A batch in pieces: the same records, the same offsets, none left out and none twice."""

from hypothesis import given
from hypothesis import strategies as st

from streams.record_batch import RecordBatch, split
from tests.support.fold_records import record, token

STEPS = st.lists(st.integers(1, 4), max_size=12)


@given(STEPS, st.integers(1, 5), st.integers(0, 3))
def test_pieces_follow_each_other_from_the_batchs_start_to_its_end(steps: list[int], size: int, tail: int) -> None:
    offsets = [7 + sum(steps[: at + 1]) for at in range(len(steps))]
    end = (offsets[-1] if offsets else 7) + 1 + tail
    batch = RecordBatch("t", 0, 3, 7, end, [record(offset, token()) for offset in offsets])
    pieces = list(split(batch, size))
    assert [piece.start for piece in pieces] == [7, *(piece.end for piece in pieces[:-1])]
    assert pieces[-1].end == end
    assert [one.offset for piece in pieces for one in piece.records] == offsets
    assert all(len(piece.records) <= size and piece.assignment == 3 for piece in pieces)
    assert all(piece.start <= one.offset < piece.end for piece in pieces for one in piece.records)
