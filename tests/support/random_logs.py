"""Random logs, each record with what it means, worked out from the numbers that it was made of."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import blake2b
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from tests.reference.known_log import Adds, Line, Made
from tests.support.fold_records import NIL, LogRecord, uuid

# -- events ------------------------------------------------------------------------------------------------

START = datetime(2026, 2, 28, 23, 57, 30, tzinfo=UTC)
"""Log time of offset 0. Windows of every kind end within the first records."""

AGES = [timedelta(minutes=minutes) for minutes in (0, 2, 61, -4, -5, 1440, 7 * 1440, 7 * 1440 + 1)]
"""How long before its log time an event happened; all of them are within bounds."""

ZONES = [timezone(timedelta(hours=hours)) for hours in (0, 14, -14)]


def log_time(offset: int) -> datetime:
    """The broker's time of a record."""
    return START + timedelta(seconds=20 * offset)


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _log_moment(moment: datetime) -> str:
    return _moment(moment)[:-3]


def _live(event: dict[str, Any], happened: datetime, logged: datetime, amounts: tuple[int, ...]) -> Adds:
    if (logged.replace(second=0) - happened.replace(second=0)) > timedelta(days=7):
        return ()
    key = (event["organization_id"], happened.strftime("%Y-%m-%d %H:%M:00"), "", event.get("model", ""))
    return (("minute_cells", key, amounts),)


def _envelope(kind: str, pick: int, happened: datetime) -> dict[str, Any]:
    return {
        "type": kind,
        "occurred_at": happened.astimezone(ZONES[pick % len(ZONES)]).isoformat(),
        "organization_id": uuid(1 + pick % 2),
        "actor": {"type": "user", "id": uuid(10 + pick // 2 % 2)},
    }


def make_token(pick: int, happened: datetime, logged: datetime) -> Made:
    """token.used or execution.used, some of them with an attribution."""
    is_token = pick % 3 != 0
    event = _envelope("token.used" if is_token else "execution.used", pick, happened) | {"funding": "usage_based"}
    row, attribution = None, NIL
    if pick % 5 == 0:
        event["attribution"] = {"session_id": uuid(20 + pick % 2)}
        attribution = str(UUID(bytes=blake2b(_compact(event["attribution"]), digest_size=16).digest()))
        row = "attributions", (attribution, NIL, NIL, uuid(20 + pick % 2), *[NIL] * 4, "", "", "", "", None, ())
    if is_token:
        event |= {"request_id": "r", "model": f"m{pick % 2}", "output_tokens": pick, "web_search_requests": 1}
        texts, amounts = (f"m{pick % 2}", "standard"), (1, 0, 0, 0, 0, pick, 1, 0, 0)
        live = (1, 1, 0, 0, 0, 0, pick)
    else:
        event |= {"spans": 2, "milliseconds": pick}
        texts, amounts, live = ("", ""), (0, 0, 0, 0, 0, 0, 0, 2, pick), (1, 0, 0, 0, 0, 0, 0)
    actor = ("user", event["actor"]["id"], "")
    key = (event["organization_id"], happened.strftime("%Y-%m-%d %H:00:00"), *actor, *texts, "", "", "")
    cell = ("spend_cells", (*key, "usage_based", attribution), amounts)
    return Made(event, (cell, *_live(event, happened, logged, live)), row)


def make_artifact(pick: int, happened: datetime, logged: datetime) -> Made:
    """artifact.created, or artifact.viewed of one that was created days before."""
    later = pick % 2 == 1
    event = _envelope("artifact.viewed" if later else "artifact.created", pick // 2, happened)
    event |= {"artifact_id": uuid(30), "artifact_type": "text/html"}
    day = happened
    if later:
        day = happened - timedelta(days=pick % 3)
        event["created_at"] = day.isoformat()
    key = (event["organization_id"], _day(day), "user", event["actor"]["id"], "", "", NIL, "text/html", uuid(30))
    cell = ("artifact_cells", key, (0, 0, 0, 1) if later else (1, 0, 0, 0))
    return Made(event, (cell, *_live(event, happened, logged, (1, 0, 0, 0, 0, 0, 0))))


def make_directory(pick: int, happened: datetime, logged: datetime) -> Made:
    """seat.assigned."""
    event = _envelope("seat.assigned", pick, happened) | {"account_id": uuid(40 + pick)}
    at = _moment(happened)
    row = (event["organization_id"], "seat.assigned", at, uuid(40 + pick), at, _log_moment(logged))
    return Made(event, row=("directory", row))


def make_profile(pick: int, happened: datetime, logged: datetime) -> Made:
    """profile.updated, or with pick 0 the tombstone of an account."""
    account = uuid(50 + pick % 2)
    if pick == 0:
        return Made({}, row=("profiles", (NIL, account, 1, _log_moment(logged), _log_moment(logged), "", "")))
    event = _envelope("profile.updated", pick, happened) | {"account_id": account, "email": "a@b", "name": f"n{pick}"}
    told = (event["organization_id"], account, 0, _moment(happened), _log_moment(logged), "a@b", f"n{pick}")
    return Made(event, row=("profiles", told))


MAKERS: dict[str, Callable[[int, datetime, datetime], Made]] = {
    "tally.token": make_token,
    "tally.artifact": make_artifact,
    "tally.directory": make_directory,
    "tally.profiles": make_profile,
}


# -- logs --------------------------------------------------------------------------------------------------


def _compact(event: dict[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()


def _malformed(topic: str, event: dict[str, Any], pick: int, offset: int) -> tuple[str, bytes | None]:
    """(reason, value) of a record that carries the event's id and cannot count."""
    ahead = (log_time(offset) + timedelta(minutes=5, microseconds=1)).isoformat()
    spoiled: list[tuple[str, bytes | None]] = [
        ("not_json", _compact(event)[:-1]),
        ("schema", _compact({**event, "event_id": "short"})),
        ("bad_id", _compact({**event, "organization_id": "0" * 36})),
        ("bad_id", _compact({**event, "organization_id": NIL})),
        ("bad_id", _compact({**event, "event_id": event["event_id"].replace("-", "_")})),
        ("in_the_future", _compact({**event, "occurred_at": ahead})),
    ]
    if topic != "tally.profiles":
        spoiled += [("empty", None), ("too_old", _compact({**event, "occurred_at": "1969-12-31T23:59:59Z"}))]
    return spoiled[pick % len(spoiled)]


Draw = tuple[str, int, int, int, int]
"""(what, pick, age, how many records back, offsets left out before it)"""

DRAW_CHOICES: tuple[Sequence[Any], ...] = (
    ["fresh", "fresh", "fresh", "repeat", "repeat", "conflict", "malformed"],
    range(6),
    [0, 0, 0, *range(len(AGES))],
    [0, 1, 2, 4, 7, 8, 9, 10, 11],
    [0] * 17 + [1, 3, 13],
)
DRAWS: st.SearchStrategy[Draw] = st.tuples(*map(st.sampled_from, DRAW_CHOICES))


def log_of(topic: str, draws: Sequence[Draw]) -> list[Line]:
    """The log of one partition that these draws describe."""
    lines: list[Line] = []
    offset = -1
    for draw in draws:
        offset += 1 + draw[4]
        lines.append(_line(topic, offset, draw, lines))
    return lines


def end_of(draws: Sequence[Draw], lines: Sequence[Line]) -> int:
    """Where the partition ends: behind its last record, some offsets may hold none (control records)."""
    return lines[-1].record.offset + 1 + draws[0][4] if lines else sum(draw[4] for draw in draws)


def _line(topic: str, offset: int, draw: Draw, lines: Sequence[Line]) -> Line:
    what, pick, age, back, _ = draw
    earlier = lines[-1 - back % len(lines)] if lines else None
    logged = log_time(offset)
    timestamp = round(logged.timestamp() * 1000)
    if what == "repeat" and earlier and earlier.made:
        # The same bytes at another log time: beyond the horizon they count again, but may be live no more.
        made = MAKERS[topic](earlier.pick, earlier.happened, logged)
        same = replace(earlier.record, offset=offset, timestamp=timestamp)
        return earlier._replace(record=same, made=made)
    event_id = earlier.event_id if what != "fresh" and earlier else uuid(1000 + offset)
    happened = logged - AGES[age]
    made = MAKERS[topic](pick, happened, logged)
    event = {"event_id": event_id, **made.event}
    if what == "malformed" and made.event:
        reason, value = _malformed(topic, event, pick, offset)
        return Line(LogRecord(offset, timestamp, b"key", value), event_id, None, reason)
    key = made.row[1][1].encode() if made.row else None
    value = _compact(event) if made.event else None
    return Line(LogRecord(offset, timestamp, key, value), event_id, made, "", pick, happened)
