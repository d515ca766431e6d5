"""The directory's history and people's profiles: one row an event, found by its subject, in force from a moment."""

import json
from typing import Any

import pytest

from aggregators.directory import ProfileFold
from tally_client.events import DIRECTORY, EVENTS_BY_TOPIC, PROFILES
from tally_client.validity import InvalidRecord
from tests.support.fold_records import NIL, ORGANIZATION, PROJECT, THING, entry, fold, ids, refusal, rows, uuid

ACCOUNT, GROUP = uuid(0x51), uuid(0x52)
HOUR = {"effective_from": "2026-03-01T14:00:00+02:00"}
NAMED = {"name": "N"}
MEMBERSHIP = {"group_id": GROUP, "account_id": ACCOUNT}
LOGGED_AT = "2026-03-01 12:00:30.000"

# Every type of the topic, with what it is found by.
SUBJECTS: list[tuple[str, dict[str, Any], str]] = [
    ("organization.created", NAMED, ""),
    ("plan.changed", {**HOUR, "plan": "team"}, ""),
    ("extra_usage.changed", {**HOUR, "enabled": True}, ""),
    ("discount.changed", {**HOUR, "discount": "0.15"}, ""),
    ("seats.purchased", {"seats": 3}, ""),
    ("seat.assigned", {"account_id": ACCOUNT}, ACCOUNT),
    ("seat.unassigned", {"account_id": ACCOUNT}, ACCOUNT),
    ("member.joined", {"account_id": ACCOUNT}, ACCOUNT),
    ("role.changed", {"account_id": ACCOUNT, "role": "owner"}, ACCOUNT),
    ("member.removed", {"account_id": ACCOUNT}, ACCOUNT),
    ("account.deleted", {"account_id": ACCOUNT}, ACCOUNT),
    ("group.saved", {"group_id": GROUP, **NAMED}, GROUP),
    ("group.deleted", {"group_id": GROUP}, GROUP),
    ("group.joined", MEMBERSHIP, GROUP),
    ("group.left", MEMBERSHIP, GROUP),
    ("invite.sent", {"invite_id": THING}, THING),
    ("invite.closed", {"invite_id": THING, "outcome": "expired"}, THING),
    ("api_key.saved", {"api_key_id": THING, **NAMED, "workspace_id": PROJECT}, THING),
    ("api_key.revoked", {"api_key_id": THING}, THING),
    ("service_account.saved", {"service_account_id": THING, **NAMED}, THING),
    ("federated_identity.saved", {"federated_identity_id": THING, "provider": "aws", "subject": "s"}, THING),
    (
        "project.saved",
        {"project_id": PROJECT, **NAMED, "created_by": ACCOUNT, "created_at": "2020-01-01T00:00:00Z"},
        PROJECT,
    ),
    ("project.deleted", {"project_id": PROJECT}, PROJECT),
    ("skill.saved", {**NAMED, "display_name": "D", "share_status": "private"}, "n"),
    ("plugin.saved", {**NAMED, "plugin_id": THING}, "n"),
    ("connector.saved", {"name": "N (MCP server)", "display_name": "D"}, "n"),
]


def row_of(kind: str, fields: dict[str, Any]) -> tuple[Any, ...]:
    [(table, row)] = rows(fold(DIRECTORY, entry(kind, **fields)))
    assert table == "directory"
    return row


@pytest.mark.parametrize(("kind", "fields", "subject"), SUBJECTS, ids=[kind for kind, _, _ in SUBJECTS])
def test_an_event_is_one_row_found_by_its_subject(kind: str, fields: dict[str, Any], subject: str) -> None:
    organization, found_kind, in_force_from, found_subject, detail, *known_by = row_of(kind, fields)
    assert (organization, found_kind, found_subject) == (ORGANIZATION, kind, subject)
    assert in_force_from == "2026-03-01 12:00:00.000000"
    kept = json.loads(detail)
    assert kept["type"] == kind
    assert known_by == [kept["event_id"], "2026-03-01 12:00:00.000000", LOGGED_AT]
    assert {name: kept[name] for name in fields} == fields


def test_the_table_above_is_complete() -> None:
    assert [kind for kind, _, _ in SUBJECTS] == [
        str(struct.__struct_config__.tag) for struct in EVENTS_BY_TOPIC[DIRECTORY]
    ]


def test_unknown_fields_are_left_out_of_the_detail() -> None:
    assert "secret" not in row_of("seat.assigned", {"account_id": ACCOUNT, "secret": "x"})[-1]


# -- when --------------------------------------------------------------------------------------------------

POLICY = {"plan": "team"}
IN_FORCE = [
    ("seat.assigned", {"occurred_at": "2026-03-01T13:59:59.123456+02:00"}, "2026-03-01 11:59:59.123456"),
    ("seat.assigned", {"occurred_at": "1970-01-01T00:00:00Z"}, "1970-01-01 00:00:00.000000"),
    ("seat.assigned", {"occurred_at": "2026-03-01T12:05:30Z"}, "2026-03-01 12:05:30.000000"),
    # a policy is in force from the hour that it names, past or future, whenever it was decided
    ("plan.changed", {"effective_from": "2024-02-29T23:00:00-01:00"}, "2024-03-01 00:00:00.000000"),
    ("plan.changed", {"effective_from": "2027-01-01T00:00:00Z"}, "2027-01-01 00:00:00.000000"),
    ("plan.changed", {"effective_from": "1970-01-01T00:00:00Z"}, "1970-01-01 00:00:00.000000"),
    ("plan.changed", {"effective_from": "2199-12-31T23:00:00Z"}, "2199-12-31 23:00:00.000000"),
    ("plan.changed", {"effective_from": "2026-03-01T05:45:00+05:45"}, "2026-03-01 00:00:00.000000"),
]


@pytest.mark.parametrize(("kind", "fields", "in_force_from"), IN_FORCE)
def test_in_force_from_is_utc_to_the_microsecond(kind: str, fields: dict[str, Any], in_force_from: str) -> None:
    assert row_of(kind, {**HOUR, **POLICY, "account_id": ACCOUNT, **fields})[2] == in_force_from


BAD_ID = "0" * 36
REFUSALS = [
    ("seat.assigned", {"occurred_at": "1969-12-31T23:59:59.999999Z"}, "too_old"),
    ("seat.assigned", {"occurred_at": "1970-01-01T00:00:00+00:01"}, "too_old"),
    ("seat.assigned", {"occurred_at": "2026-03-01T12:05:30.000001Z"}, "in_the_future"),
    ("seat.assigned", {"occurred_at": "9999-12-31T23:59:59-14:00"}, "out_of_calendar"),
    ("plan.changed", {"occurred_at": "2026-03-01T12:05:30.000001Z"}, "in_the_future"),
    ("plan.changed", {"effective_from": "2026-03-01T12:30:00Z"}, "not_a_whole_hour"),
    ("plan.changed", {"effective_from": "2026-03-01T12:00:01Z"}, "not_a_whole_hour"),
    ("plan.changed", {"effective_from": "2026-03-01T12:00:00.000001Z"}, "not_a_whole_hour"),
    ("plan.changed", {"effective_from": "2026-03-01T12:00:00+05:45"}, "not_a_whole_hour"),
    ("plan.changed", {"effective_from": "1969-12-31T23:00:00Z"}, "out_of_calendar"),
    ("plan.changed", {"effective_from": "2200-01-01T00:00:00Z"}, "out_of_calendar"),
    ("plan.changed", {"effective_from": "0001-01-01T00:00:00+14:00"}, "out_of_calendar"),
    ("seat.assigned", {"organization_id": BAD_ID}, "bad_id"),
    ("seat.assigned", {"account_id": BAD_ID}, "bad_id"),
]


@pytest.mark.parametrize(("kind", "fields", "reason"), REFUSALS)
def test_what_cannot_be_in_force_is_refused(kind: str, fields: dict[str, Any], reason: str) -> None:
    assert refusal(DIRECTORY, entry(kind, **{**HOUR, **POLICY, "account_id": ACCOUNT, **fields})) == reason


@pytest.mark.parametrize(("kind", "fields", "_subject"), SUBJECTS, ids=[kind for kind, _, _ in SUBJECTS])
def test_every_id_of_every_type_is_checked(kind: str, fields: dict[str, Any], _subject: str) -> None:
    for field in [name for name in fields if name.endswith("_id") or name == "created_by"]:
        assert refusal(DIRECTORY, entry(kind, **{**fields, field: BAD_ID})) == "bad_id", field


# -- profiles ----------------------------------------------------------------------------------------------

PROFILE = {"account_id": ACCOUNT, "email": "ada@example.org", "name": "Ada"}


def test_a_profile_is_a_persons_row() -> None:
    assert rows(fold(PROFILES, entry("profile.updated", **PROFILE))) == [
        (
            "profiles",
            (
                *(ORGANIZATION, ACCOUNT, "ada@example.org", "Ada", 0),
                *(entry("profile.updated", **PROFILE)["event_id"], "2026-03-01 12:00:00.000000", LOGGED_AT),
            ),
        )
    ]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"organization_id": BAD_ID}, "bad_id"),
        ({"account_id": BAD_ID}, "bad_id"),
        ({"occurred_at": "2026-03-01T12:05:30.000001Z"}, "in_the_future"),
        ({"occurred_at": "1969-12-31T23:59:59.999999Z"}, "too_old"),
        ({"occurred_at": "1970-01-01T00:00:00Z"}, ""),
    ],
)
def test_a_profile_needs_its_ids_and_a_moment_that_has_been(fields: dict[str, Any], reason: str) -> None:
    assert refusal(PROFILES, entry("profile.updated", **{**PROFILE, **fields})) == reason


def test_a_tombstone_forgets_the_person_of_its_key() -> None:
    moment = "2026-03-01 12:00:30.007"
    assert rows(ProfileFold(ids()).forget(ACCOUNT.encode(), 1_772_366_430_007)) == [
        ("profiles", (NIL, ACCOUNT, "", "", 1, "", moment, moment))
    ]


@pytest.mark.parametrize("key", [None, b"", uuid(0xABC).upper().encode(), b"\xff" * 36])
def test_a_tombstone_of_nobody_is_refused(key: bytes | None) -> None:
    with pytest.raises(InvalidRecord, match="bad_id: record key "):
        ProfileFold(ids()).forget(key, 0)
