"""What one usage event adds: its counts to the spend cell of its hour, and its attribution once."""

import hashlib
from typing import Any
from uuid import UUID

import msgspec
import pytest

from aggregators.cell_tables import ATTRIBUTION_IDS
from aggregators.spend import Attributions, attribution_id
from tally_client.events import TOKEN, Attribution
from tally_client.events.envelope import MAX_COUNT
from tests.support.fold_records import (
    NIL,
    ORGANIZATION,
    PERSON,
    THING,
    activity,
    cells,
    fold,
    ids,
    refusal,
    rows,
    token,
    uuid,
)

COUNTS = {
    "uncached_input_tokens": 1,
    "cache_read_input_tokens": 2,
    "cache_creation_5m_input_tokens": 3,
    "cache_creation_1h_input_tokens": 4,
    "output_tokens": 5,
    "web_search_requests": 6,
}
HOUR = "2026-03-01 12:00:00"


def execution(**fields: Any) -> dict[str, Any]:
    return activity("execution.used", **{"funding": "usage_based", **fields})


def spend(event: dict[str, Any]) -> dict[tuple[Any, ...], dict[str, int]]:
    return cells(fold(TOKEN, event), "spend_cells")


# -- counts and keys ---------------------------------------------------------------------------------------


def test_a_token_event_is_one_request_with_its_tokens_in_five_classes() -> None:
    key = ("user", PERSON, "", "m", "standard", "", "", "", "usage_based", NIL)
    assert spend(token(**COUNTS)) == {(ORGANIZATION, HOUR, *key): {"requests": 1, **COUNTS}}


def test_every_dimension_of_a_price_is_in_the_key() -> None:
    dimensions = {
        "product": "claude_code",
        "model": "claude-x",
        "service_tier": "batch",
        "context_window": "200k-1M",
        "inference_geo": "us",
        "speed": "fast",
        "funding": "extra_usage",
    }
    event = token(actor={"type": "api_key", "id": THING}, **dimensions)
    assert list(spend(event)) == [(ORGANIZATION, HOUR, "api_key", THING, *dimensions.values(), NIL)]


def test_the_surface_and_the_request_id_make_no_cell_of_their_own() -> None:
    assert spend(token(surface="web", request_id="other")) == spend(token())


def test_code_execution_has_no_model_and_is_no_request() -> None:
    key = ("user", PERSON, "cowork", "", "", "", "", "", "seat_allotment", NIL)
    event = execution(product="cowork", funding="seat_allotment", spans=2, milliseconds=90)
    assert spend(event) == {(ORGANIZATION, HOUR, *key): {"execution_spans": 2, "execution_milliseconds": 90}}
    [gains] = spend(execution()).values()
    assert gains == {"execution_spans": 1}


def test_counts_of_the_largest_size_are_taken_and_stay_whole() -> None:
    [gains] = spend(token(**dict.fromkeys(COUNTS, MAX_COUNT))).values()
    assert gains == {"requests": 1, **dict.fromkeys(COUNTS, MAX_COUNT)}
    [gains] = spend(execution(spans=MAX_COUNT, milliseconds=MAX_COUNT)).values()
    assert gains == dict.fromkeys(("execution_spans", "execution_milliseconds"), MAX_COUNT)


HOURS = [
    ("2026-03-01T11:59:59.999999Z", "2026-03-01 11:00:00"),
    ("2026-03-01T00:00:00Z", "2026-03-01 00:00:00"),
    ("2026-03-01T05:44:59+05:45", "2026-02-28 23:00:00"),
    ("2028-02-29T23:30:00-01:00", ""),  # ahead of the log
    ("2025-12-31T10:00:00-14:00", "2026-01-01 00:00:00"),
    ("2025-10-26T02:30:00+02:00", "2025-10-26 00:00:00"),
    ("2025-10-26T02:30:00+01:00", "2025-10-26 01:00:00"),
]


@pytest.mark.parametrize(("occurred_at", "hour"), HOURS)
@pytest.mark.parametrize("make", [token, execution])
def test_the_hour_is_utc(make: Any, occurred_at: str, hour: str) -> None:
    event = make(occurred_at=occurred_at)
    if hour:
        assert [key[1] for key in spend(event)] == [hour]
    else:
        assert refusal(TOKEN, event) == "in_the_future"


# -- attribution -------------------------------------------------------------------------------------------

FULL = {
    **{field: uuid(100 + n) for n, field in enumerate(ATTRIBUTION_IDS)},
    "slack_channel_id": "C1",
    "claude_tag_user_id": "U1",
    "claude_tag_category": "dm",
    "terminal": "iTerm",
    "is_remote": True,
    "skills": ["one", "two"],
}


def hashed(json_text: str) -> str:
    return str(UUID(bytes=hashlib.blake2b(json_text.encode(), digest_size=16).digest()))


def test_a_usage_without_attribution_has_the_nil_id_and_no_row() -> None:
    changes = fold(TOKEN, token(attribution=None))
    assert rows(changes) == []
    assert {key[-1] for key in cells(changes, "spend_cells")} == {NIL}


@pytest.mark.parametrize("make", [token, execution])
def test_an_attribution_is_one_narrow_key_and_one_wide_row(make: Any) -> None:
    changes = fold(TOKEN, make(attribution=FULL))
    [(table, row)] = rows(changes)
    assert table == "attributions"
    assert row[1:] == (*(FULL[field] for field in ATTRIBUTION_IDS), "C1", "U1", "dm", "iTerm", True, ("one", "two"))
    assert {key[-1] for key in cells(changes, "spend_cells")} == {row[0]}
    assert row[0] == attribution_id(msgspec.convert(FULL, Attribution))


def test_what_an_attribution_leaves_out_is_nil_or_empty() -> None:
    [(_, row)] = rows(fold(TOKEN, token(attribution={})))
    assert row == (hashed("{}"), *[NIL] * 7, "", "", "", "", None, ())


def test_the_id_is_the_same_in_every_process() -> None:
    sent = {"workspace_id": THING, "skills": ["é"], "is_remote": None}
    [(_, row)] = rows(fold(TOKEN, token(attribution=sent)))
    assert row[0] == hashed(f'{{"workspace_id":"{THING}","skills":["é"]}}')


def test_two_spellings_of_a_skill_are_one_attribution() -> None:
    [(_, row)], [(_, same)] = (rows(fold(TOKEN, token(attribution={"skills": [name]}))) for name in ("pdf", " PDF "))
    assert row == same
    assert row[-1] == ("pdf",)


def test_attributions_that_differ_in_one_field_have_different_ids() -> None:
    variants = [{}, FULL, *({field: value} for field, value in FULL.items()), {"is_remote": False}]
    variants += [{**FULL, "skills": ["two", "one"]}, {"session_id": THING}, {"agent_id": THING}]
    found = {rows(fold(TOKEN, token(attribution=sent)))[0][1][0] for sent in variants}
    assert len(found) == len(variants)


def test_what_is_remembered_of_attributions_is_bounded_and_forgetting_changes_nothing() -> None:
    attributions = Attributions(ids(), limit=2)
    several = [Attribution(slack_channel_id=f"C{n}") for n in range(4)]
    first = [attributions.resolve(each) for each in several]
    assert len(attributions._known) == 2
    assert [attributions.resolve(each) for each in several] == first
    assert attributions.resolve(several[-1])[1][0] is attributions.resolve(several[-1])[1][0]


# -- refusals ----------------------------------------------------------------------------------------------

BAD_ID = "0" * 36
REFUSALS = [
    ({"organization_id": BAD_ID}, "bad_id"),
    ({"actor": {"type": "user", "id": BAD_ID}}, "bad_id"),
    *(({"attribution": {field: BAD_ID}}, "bad_id") for field in ATTRIBUTION_IDS),
    ({"occurred_at": "2024-12-31T23:59:59Z"}, "too_old"),
    ({"occurred_at": "2026-03-01T12:05:30.000001Z"}, "in_the_future"),
    ({"occurred_at": "2026-03-01T12:05:30Z"}, ""),
    ({"occurred_at": "0001-01-01T00:00:00+01:00"}, "out_of_calendar"),
]


@pytest.mark.parametrize(("fields", "reason"), REFUSALS)
@pytest.mark.parametrize("make", [token, execution])
def test_what_no_table_can_hold_is_refused(make: Any, fields: dict[str, Any], reason: str) -> None:
    assert refusal(TOKEN, make(**fields)) == reason
