"""A source of token events for tests, and its snapshots in readable form."""

from types import SimpleNamespace
from typing import Any

import pytest

from aggregators.backend import HAS_COMPILED
from aggregators.cell_tables import SPEND
from aggregators.deduplication import Horizon
from aggregators.source import Snapshot, Source
from tally_client.events import TOKEN
from tests.support.backends import FORMS, form_name
from tests.support.fold_records import LogRecord, record, token, uuid

NAME = "tally.token/0@0"


form = SimpleNamespace(compiled=HAS_COMPILED)
"""Of which form the sources are that a test makes; `each_form` sets it."""


@pytest.fixture(params=FORMS, ids=form_name)
def each_form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test that asks for it runs once with sources of each form."""
    monkeypatch.setattr(form, "compiled", request.param)


def token_source(place: int = 0, **options: Any) -> Source:
    """A source with a horizon of two closed blocks of four offsets."""
    return Source(TOKEN, NAME, place, Horizon(4, 2), **{"compiled": form.compiled, **options})


def usage(offset: int, event: int | None = None, **fields: Any) -> LogRecord:
    """A token record; its event_id is its offset's unless another is named."""
    return record(offset, token(event_id=uuid(offset if event is None else event), output_tokens=1, **fields))


def take(source: Source, *records: LogRecord, start: int | None = None, end: int | None = None) -> None:
    """One batch through prepare and apply, where no page is missing."""
    first = source.cursor if start is None else start
    last = records[-1].offset + 1 if end is None else end
    prepared = source.prepare(first, last, records)
    assert not prepared.missing
    source.apply(prepared)


def spent(snapshot: Snapshot) -> list[tuple[int, int, int]]:
    """(log_offset, requests, output tokens) of each spend row."""
    names = SPEND.columns
    found = [dict(zip(names, row, strict=True)) for row in snapshot.rows.get("spend_cells", ())]
    return [(row["log_offset"], row["requests"], row["output_tokens"]) for row in found]


def letters(snapshot: Snapshot) -> dict[int, str]:
    """Offset to reason of each dead letter."""
    return {letter.record.offset: letter.reason for letter in snapshot.rejected}
