"""One contract, many readers: what one takes all take, and what one refuses all refuse.

A corpus of odd records is made of the event types themselves and judged by every reader: the folds of a worker in both
forms, the Emitter's check, `emit --check`, the recount of `tally verify`, and a validator of the printed JSON Schema.
What JSON Schema cannot say (the calendar, the clock, whole hours, bytes, fields that stand twice, how deep it nests,
and whole numbers that are written with a point) is marked so in the corpus, record by record
(tests/support/odd_records.py).
"""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from aggregators.deduplication import Horizon
from aggregators.source import Source
from intake.bulk_send import Suspects
from intake.ndjson import ProducerRecord
from streams.event_schema import json_schema
from tally_client.emitter import InvalidEvent, encode
from tally_client.events import TOPIC_BY_TYPE, decoder
from tests.support.backends import FORMS
from tests.support.fold_records import LOG_MS, LOG_TIME, LogRecord
from tests.support.odd_records import Odd, corpus, sample_of, with_field
from verify.timestamps import parse_moment
from verify.validity import Invalid as Refused
from verify.validity import check_record

# -- the readers -------------------------------------------------------------------------------------------


def taken_by_worker(records: tuple[Odd, ...], compiled: bool) -> list[bool]:
    """What a worker makes no dead letter of. Each has a log of its own, since most of them have one event_id."""
    found = []
    sources = {topic: Source(topic, "s", 0, Horizon(1, 1), compiled=compiled) for topic in {*TOPIC_BY_TYPE.values()}}
    for offset, odd in enumerate(records):
        source = sources[odd.topic]
        source.cursor = source.next_offset = 3 * offset  # beyond the horizon of what came before
        prepared = source.prepare(3 * offset, 3 * offset + 1, [LogRecord(3 * offset, LOG_MS, None, odd.value)])
        for declaration, pages in prepared.missing.items():
            source.load(declaration, pages, [])
        source.apply(prepared)
        found.append(not prepared.letters)
    return found


def taken_by_check(odd: Odd) -> bool:
    """Whether `emit --check` has nothing against it."""
    suspects = Suspects(LOG_TIME)
    list(suspects.watch([ProducerRecord(odd.topic, b"key", odd.value, "")]))
    return suspects.invalid == 0


def taken_by_verify(odd: Odd) -> bool:
    """Whether the recount takes it."""
    try:
        check_record(odd.topic, odd.value, LOG_MS)
    except Refused:
        return False
    return True


def taken_by_emitter(odd: Odd) -> bool | None:
    """Whether the Emitter takes the event that somebody builds of these values; None where none can be built."""
    try:
        event = decoder(odd.topic).decode(odd.value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    try:
        encode(event, LOG_TIME)
    except InvalidEvent:
        return False
    return True


SCHEMA = jsonschema_rs.Draft202012Validator(json_schema())


def taken_by_schema(odd: Odd) -> bool:
    """Whether the printed JSON Schema takes it."""
    try:
        value = json.loads(odd.value, parse_constant=_no_json)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return SCHEMA.is_valid(value)


def _no_json(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


# -- they agree --------------------------------------------------------------------------------------------


@cache
def verdicts() -> dict[str, list[bool]]:
    """Of each reader: what it takes."""
    readers = {f"worker, {'compiled' if form else 'pure'}": taken_by_worker(corpus(), form) for form in FORMS}
    return readers | {
        "emit --check": [taken_by_check(odd) for odd in corpus()],
        "verify": [taken_by_verify(odd) for odd in corpus()],
    }


def told(differing: list[Odd], total: int) -> str:
    """The first differences as lines."""
    lines = [f"{odd.kind} {odd.what}: {odd.value[:400]!r}" for odd in differing[:20]]
    return f"{len(differing)} of {total} differ\n" + "\n".join(lines)


def test_the_corpus_is_large_and_both_taken_and_refused() -> None:
    taken = verdicts()["verify"]
    assert len(corpus()) > 5000
    assert 500 < sum(taken) < len(taken) - 2000


@pytest.mark.parametrize("reader", ["worker, pure", "worker, compiled", "emit --check"])
def test_every_reader_judges_as_the_recount_does(reader: str) -> None:
    if reader not in verdicts():
        pytest.skip("the compiled form is not built")
    pairs = zip(corpus(), verdicts()["verify"], verdicts()[reader], strict=True)
    differing = [odd for odd, one, other in pairs if one != other]
    assert not differing, told(differing, len(corpus()))


def test_the_emitter_takes_no_event_that_a_worker_would_refuse_and_refuses_none_that_it_takes() -> None:
    found = [(odd, taken_by_emitter(odd)) for odd in corpus()]
    pairs = zip(found, verdicts()["verify"], strict=True)
    built = [(odd, emitted, taken) for (odd, emitted), taken in pairs if emitted is not None]
    assert len(built) > 1000
    differing = [odd for odd, emitted, taken in built if emitted != taken and not says_more_than_its_struct(odd)]
    assert not differing, told(differing, len(built))


def says_more_than_its_struct(odd: Odd) -> bool:
    """Whether what is wrong with the record's bytes is gone once they are an object of Python."""
    return odd.what == "too deep"


def test_the_json_schema_takes_what_is_taken_and_refuses_what_is_refused() -> None:
    pairs = zip(corpus(), verdicts()["verify"], strict=True)
    differing = [odd for odd, taken in pairs if not odd.beyond_schema and taken != taken_by_schema(odd)]
    assert not differing, told(differing, len(corpus()))


def test_what_json_schema_cannot_say_it_takes() -> None:
    """It is never stricter than the contract: what a worker takes is valid by the schema, too."""
    pairs = zip(corpus(), verdicts()["verify"], strict=True)
    differing = [odd for odd, taken in pairs if odd.beyond_schema and taken and not taken_by_schema(odd)]
    assert not differing, told(differing, len(corpus()))


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("2026-03-01T11:59:59.9999999Z", datetime(2026, 3, 1, 11, 59, 59, 999999, tzinfo=UTC)),
        ("2026-02-28T23:59:59.9999995Z", datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2026-02-28T23:59:59.999999999999Z", datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2026-03-01T01:29:59.9999999+01:30", datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)),
        (r"2026-02-28T23:59:59\u002e999999\u0039Z", datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2026-02-28T23:59:59.1234564Z", datetime(2026, 2, 28, 23, 59, 59, 123456, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("kind", ["token.used", "artifact.shared", "plan.changed", "project.saved", "profile.updated"])
def test_what_is_finer_than_a_microsecond_is_cut(kind: str, told: str, kept: datetime) -> None:
    event = sample_of(kind)
    for name in ("occurred_at", "created_at", "effective_from"):
        if name in event:
            decoded = decoder(TOPIC_BY_TYPE[kind]).decode(with_field(event, name, f'"{told}"').encode())
            assert getattr(decoded, name) == kept
    since = kept - datetime(1970, 1, 1, tzinfo=UTC)
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    assert parse_moment(json.loads(f'"{told}"')) == microseconds
