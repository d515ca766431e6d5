"""What one activity event adds, rule by rule: the table below is the whole of it."""

from typing import Any, NamedTuple

import pytest

from aggregators.activity import RULES
from aggregators.cell_tables import CELL_TABLES, SESSION_COUNTERS
from tally_client.events import ARTIFACT, CHAT, CONNECTOR, EVENTS_BY_TOPIC, PROJECT, SESSION, TOPIC_BY_TYPE
from tally_client.events.envelope import MAX_COUNT
from tests.support.fold_records import NIL, ORGANIZATION, PERSON, THING, activity, cells, fold, refusal, uuid
from tests.support.fold_records import PROJECT as PROJECT_ID

DAY = "2026-03-01"
SESSION_ID = uuid(0xE)
WHERE = {"product": "chat", "surface": "web", "project_id": PROJECT_ID}
PLACE = ("user", PERSON, "chat", "web", PROJECT_ID)
NOWHERE = ("user", PERSON, "", "", NIL)
CODING = {"product": "claude_code"}
IN_A_SESSION = ("user", PERSON, "claude_code", "", "", 0, SESSION_ID)
CREATED_BEFORE = {"created_at": "2026-02-27T23:30:00-01:00"}  # 28 February in UTC
ARTIFACT_FIELDS = {"artifact_id": THING, "artifact_type": "text/html"}


class Case(NamedTuple):
    """An event's type and fields, and the one cell it adds to."""

    kind: str
    fields: dict[str, Any]
    table: str
    key: tuple[Any, ...]
    gains: dict[str, int]
    day: str = DAY


CASES = [
    # chats: every event of a conversation, in the project it is in or outside any
    Case("chat.started", {**WHERE, "conversation_id": THING}, "chat_cells", (*PLACE, THING), {"started": 1}),
    Case("chat.started", {"conversation_id": THING}, "chat_cells", (*NOWHERE, THING), {"started": 1}),
    Case("chat.message", {**WHERE, "conversation_id": THING}, "chat_cells", (*PLACE, THING), {"messages": 1}),
    Case(
        "chat.message",
        {"conversation_id": THING, "thinking": True, "web_searches": 3},
        "chat_cells",
        (*NOWHERE, THING),
        {"messages": 1, "thinking_messages": 1, "web_searches": 3},
    ),
    Case("chat.shared_viewed", {**WHERE, "conversation_id": THING}, "chat_cells", (*PLACE, THING), {"shared_views": 1}),
    # files and projects: no surface in their keys
    Case("file.uploaded", {**WHERE, "file_id": THING}, "file_cells", (*PLACE[:3], PROJECT_ID, THING), {"uploads": 1}),
    Case("file.uploaded", {"file_id": THING}, "file_cells", (*NOWHERE[:3], NIL, THING), {"uploads": 1}),
    Case("project.created", WHERE, "project_cells", (*PLACE[:3], PROJECT_ID), {"created": 1}),
    Case("project.used", WHERE, "project_cells", (*PLACE[:3], PROJECT_ID), {"used": 1}),
    # artifacts: what befalls one later counts on the day of its creation
    *(
        Case(
            f"artifact.{verb}",
            {**WHERE, **ARTIFACT_FIELDS, **({} if verb == "created" else CREATED_BEFORE)},
            "artifact_cells",
            (*PLACE, "text/html", THING),
            {verb: 1},
            DAY if verb == "created" else "2026-02-28",
        )
        for verb in ("created", "shared", "published", "viewed")
    ),
    Case("artifact.created", ARTIFACT_FIELDS, "artifact_cells", (*NOWHERE, "text/html", THING), {"created": 1}),
    # connectors: the name normalised; every call is a use and of one access
    *(
        Case(
            "connector.called",
            {**WHERE, "name": "Atlassian MCP server", "access": access, "auth_mode": "managed", "session_id": THING},
            "connector_cells",
            (*PLACE, "connector", "atlassian", "managed", THING),
            {f"{access}_calls": 1, "uses": 1},
        )
        for access in ("read", "write", "unclassified")
    ),
    Case(
        "connector.called",
        {"name": "mcp-github"},
        "connector_cells",
        (*NOWHERE, "connector", "github", "none", NIL),
        {"unclassified_calls": 1, "uses": 1},
    ),
    Case(
        "connector.connected",
        {"name": "GitHub"},
        "connector_cells",
        (*NOWHERE, "connector", "github", "individual", NIL),
        {"credentials": 1},
    ),
    Case(
        "connector.connected",
        {**WHERE, "name": "GitHub", "auth_mode": "managed", "session_id": THING},
        "connector_cells",
        (*PLACE, "connector", "github", "managed", THING),
        {"credentials": 1},
    ),
    # skills and plugins: names without case and blanks around them, no auth mode
    *(
        Case(
            f"{kind}.{verb}",
            {**WHERE, "name": " My MCP Server ", "session_id": THING},
            "connector_cells",
            (*PLACE, kind, "my mcp server", "", THING),
            {counter: 1},
        )
        for kind, verb, counter in (
            ("skill", "used", "uses"),
            ("skill", "enabled", "enabled"),
            ("plugin", "used", "uses"),
            ("plugin", "installed", "installed"),
        )
    ),
    # sessions: every counter of an activity is an increment; remote and local parts apart
    Case(
        "session.started",
        {"product": "claude_code", "surface": "ide", "session_id": SESSION_ID, "terminal": "vscode", "is_remote": True},
        "session_cells",
        ("user", PERSON, "claude_code", "ide", "vscode", 1, SESSION_ID),
        {"started": 1},
    ),
    Case("session.activity", {"session_id": SESSION_ID, **CODING}, "session_cells", IN_A_SESSION, {}),
    Case(
        "session.activity",
        {"session_id": SESSION_ID, **CODING, **{counter: n for n, counter in enumerate(SESSION_COUNTERS, 1)}},
        "session_cells",
        IN_A_SESSION,
        {counter: n for n, counter in enumerate(SESSION_COUNTERS, 1)},
    ),
]

OWN_TOPICS = (CHAT, PROJECT, ARTIFACT, CONNECTOR, SESSION)
OWN_TABLES = [table for table in CELL_TABLES if table.name not in ("spend_cells", "minute_cells")]


def added(case: Case) -> dict[str, dict[tuple[Any, ...], dict[str, int]]]:
    changes = fold(TOPIC_BY_TYPE[case.kind], activity(case.kind, **case.fields))
    found = {table.name: cells(changes, table.name) for table in CELL_TABLES}
    assert len(changes) == 2, "its own cell and its live minute"
    return {name: gains for name, gains in found.items() if gains}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
def test_an_event_adds_to_one_cell_and_to_its_live_minute(case: Case) -> None:
    live = {(ORGANIZATION, "2026-03-01 12:00:00", case.fields.get("product", ""), ""): {"events": 1}}
    assert added(case) == {case.table: {(ORGANIZATION, case.day, *case.key): case.gains}, "minute_cells": live}


def test_the_table_above_is_complete() -> None:
    kinds = {str(struct.__struct_config__.tag) for topic in OWN_TOPICS for struct in EVENTS_BY_TOPIC[topic]}
    assert {case.kind for case in CASES} == kinds
    assert {str(struct.__struct_config__.tag) for struct in RULES} == kinds
    for table in OWN_TABLES:
        gained = {counter for case in CASES if case.table == table.name for counter in case.gains}
        assert gained == set(table.counters), f"every counter of {table.name} is fed by a rule"


@pytest.mark.parametrize("struct", [struct for structs in EVENTS_BY_TOPIC.values() for struct in structs])
def test_every_event_says_in_its_own_docstring_what_it_means(struct: type) -> None:
    assert (struct.__doc__ or "").endswith((".", ".\n")), struct


def test_counts_of_the_largest_size_are_taken() -> None:
    fields = {"session_id": THING, **CODING, **dict.fromkeys(SESSION_COUNTERS, MAX_COUNT)}
    [gains] = cells(fold(SESSION, activity("session.activity", **fields)), "session_cells").values()
    assert set(gains.values()) == {MAX_COUNT}


@pytest.mark.parametrize("kind", ["user", "api_key", "service_account", "federated"])
def test_actors_of_every_kind_are_kept_apart(kind: str) -> None:
    event = activity("project.used", project_id=THING, actor={"type": kind, "id": PERSON})
    assert list(cells(fold(PROJECT, event), "project_cells")) == [(ORGANIZATION, DAY, kind, PERSON, "", THING)]


# -- days --------------------------------------------------------------------------------------------------

DAYS = [
    ("2026-02-28T23:59:59.999999Z", "2026-02-28"),
    ("2026-03-01T00:00:00Z", "2026-03-01"),
    ("2026-03-01T01:59:00+02:00", "2026-02-28"),
    ("2026-02-28T10:00:00-14:00", "2026-03-01"),
    ("2025-01-01T00:00:00Z", "2025-01-01"),
]


@pytest.mark.parametrize(("occurred_at", "day"), DAYS)
def test_the_day_is_utc(occurred_at: str, day: str) -> None:
    event = activity("project.used", project_id=THING, occurred_at=occurred_at)
    assert [key[1] for key in cells(fold(PROJECT, event), "project_cells")] == [day]


def test_sharing_is_live_when_it_happens_and_counted_when_the_artifact_was_made() -> None:
    fields = {**ARTIFACT_FIELDS, "created_at": "2025-01-01T00:00:00Z"}
    changes = fold(ARTIFACT, activity("artifact.shared", **fields))
    assert [key[1] for key in cells(changes, "artifact_cells")] == ["2025-01-01"]
    assert [key[1] for key in cells(changes, "minute_cells")] == ["2026-03-01 12:00:00"]


# -- refusals ----------------------------------------------------------------------------------------------

CONVERSATION = {"conversation_id": THING}
LATER = {**ARTIFACT_FIELDS, **CREATED_BEFORE}
BAD_ID = "0" * 36

REFUSALS = [
    ("chat.started", {**CONVERSATION, "organization_id": BAD_ID}, "bad_id"),
    ("chat.started", {**CONVERSATION, "actor": {"type": "user", "id": BAD_ID}}, "bad_id"),
    ("chat.started", {"conversation_id": BAD_ID}, "bad_id"),
    ("chat.message", {**CONVERSATION, "project_id": BAD_ID}, "bad_id"),
    ("file.uploaded", {"file_id": BAD_ID}, "bad_id"),
    ("file.uploaded", {"file_id": THING, "project_id": BAD_ID}, "bad_id"),
    ("project.used", {"project_id": BAD_ID}, "bad_id"),
    ("artifact.created", {**ARTIFACT_FIELDS, "artifact_id": BAD_ID}, "bad_id"),
    ("artifact.viewed", {**LATER, "project_id": BAD_ID}, "bad_id"),
    ("skill.used", {"name": "x", "session_id": BAD_ID}, "bad_id"),
    ("plugin.used", {"name": "x", "project_id": BAD_ID}, "bad_id"),
    ("session.started", {"session_id": BAD_ID, **CODING}, "bad_id"),
    ("session.started", {"session_id": NIL, **CODING}, "bad_id"),
    ("chat.started", {**CONVERSATION, "organization_id": NIL}, "bad_id"),
    ("chat.started", {**CONVERSATION, "actor": {"type": "user", "id": NIL}}, "bad_id"),
    ("chat.message", {**CONVERSATION, "project_id": NIL}, "bad_id"),
    ("chat.started", {**CONVERSATION, "occurred_at": "2026-03-01T12:05:31Z"}, "in_the_future"),
    ("chat.started", {**CONVERSATION, "occurred_at": "2024-12-31T23:59:59Z"}, "too_old"),
    ("artifact.shared", {**LATER, "created_at": "2026-03-01T12:05:31Z"}, "in_the_future"),
    ("artifact.published", {**LATER, "created_at": "2024-12-31T23:59:59Z"}, "too_old"),
    ("artifact.viewed", {**LATER, "occurred_at": "2024-12-31T23:59:59Z"}, "too_old"),
    # event_id is the reader's matter, which refuses it before any fold sees it
    ("chat.started", {**CONVERSATION, "event_id": BAD_ID}, ""),
]


@pytest.mark.parametrize(("kind", "fields", "reason"), REFUSALS)
def test_what_no_table_can_hold_is_refused(kind: str, fields: dict[str, Any], reason: str) -> None:
    assert refusal(TOPIC_BY_TYPE[kind], activity(kind, **fields)) == reason
