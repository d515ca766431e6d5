"""What the Emitter checks before anything is sent."""

import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest

from tally_client.emitter import EmitError, Emitter, InvalidEvent, UndeliverableEvent, encode
from tally_client.events import (
    TOPIC_BY_TYPE,
    Actor,
    ArtifactShared,
    Attribution,
    ChatMessage,
    Event,
    TokenUsed,
    decoder,
)
from tally_client.events.directory import DiscountChanged, OrganizationCreated
from tally_client.events.envelope import NIL
from tally_client.partition_batcher import DeliveryFailure, Record
from tally_client.validity import AHEAD, EARLIEST, is_uuid

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
UUID = "4f6c1a52-9a0e-4d3b-8c77-0be5f1d2a9c3"


def a_uuid() -> str:
    return str(uuid.uuid4())


def token(**fields: Any) -> TokenUsed:
    given: dict[str, Any] = {
        "event_id": a_uuid(),
        "occurred_at": NOW,
        "organization_id": a_uuid(),
        "actor": Actor(type="user", id=a_uuid()),
        "product": "chat",
        "funding": "usage_based",
        "request_id": "req_1",
        "model": "claude-sonnet-4-5",
        **fields,
    }
    return TokenUsed(**given)


def refusal(event: Event) -> str:
    with pytest.raises(InvalidEvent) as caught:
        encode(event, NOW)
    return str(caught.value)


def test_a_valid_event_comes_back_as_it_was() -> None:
    event = token(output_tokens=7, attribution=Attribution(session_id=a_uuid(), skills=("pdf",)))
    assert decoder("tally.token").decode(encode(event, NOW)) == event


def test_the_bytes_are_plain_json_with_the_type() -> None:
    value = orjson.loads(encode(token(output_tokens=7), NOW))
    assert (value["type"], value["output_tokens"], value["occurred_at"]) == ("token.used", 7, "2026-11-20T12:00:00Z")


def test_the_same_event_is_always_the_same_bytes() -> None:
    event = token()
    assert encode(event, NOW) == encode(event, NOW)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"output_tokens": -1}, "output_tokens"),
        ({"output_tokens": "7"}, "output_tokens"),
        ({"output_tokens": 10**9 + 1}, "output_tokens"),
        ({"product": "telepathy"}, "product"),
        ({"model": ""}, "model"),
        ({"model": "\ud800"}, "surrogates"),
        ({"occurred_at": datetime(2026, 11, 20)}, "occurred_at"),  # noqa: DTZ001 - the lack of a zone is the point
        ({"event_id": a_uuid().upper()}, "event_id is not a lower-case"),
        ({"organization_id": "0" * 36}, "organization_id is not"),
        ({"actor": Actor(type="user", id=a_uuid().replace("-", "_"))}, "actor.id is not"),
        ({"attribution": Attribution(agent_id="x" * 36)}, "attribution.agent_id is not"),
        ({"event_id": NIL}, "event_id is not"),
        ({"organization_id": NIL}, "organization_id is not"),
        ({"actor": Actor(type="user", id=NIL)}, "actor.id is not"),
        ({"attribution": Attribution(session_id=NIL)}, "attribution.session_id is not"),
        ({"request_id": "r\n"}, "request_id"),
        ({"model": "claude\u001b[2J"}, "model"),
        ({"occurred_at": NOW + timedelta(minutes=5, seconds=1)}, "in the future"),
        ({"occurred_at": datetime(2024, 12, 31, 23, 59, tzinfo=UTC)}, "before 2025-01-01"),
        ({"occurred_at": datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))}, "before 2025-01-01"),
        ({"occurred_at": datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))}, "in the future"),
    ],
)
def test_an_invalid_event_is_refused_with_type_id_and_reason(fields: dict[str, object], said: str) -> None:
    event = token(**fields)
    line = refusal(event)
    assert said in line
    assert line.startswith(f"token.used {event.event_id}")


def test_moments_on_the_bounds_are_taken() -> None:
    encode(token(occurred_at=NOW + AHEAD), NOW)
    encode(token(occurred_at=EARLIEST), NOW)
    encode(token(occurred_at=datetime(2026, 11, 20, 14, tzinfo=timezone(timedelta(hours=2)))), NOW)


def test_later_artifact_events_need_a_plausible_creation() -> None:
    common: dict[str, Any] = {
        "event_id": a_uuid(),
        "occurred_at": NOW,
        "organization_id": a_uuid(),
        "actor": Actor(type="user", id=a_uuid()),
        "artifact_id": a_uuid(),
        "artifact_type": "text/html",
    }
    encode(ArtifactShared(created_at=NOW - timedelta(days=90), **common), NOW)
    assert "created_at" in refusal(ArtifactShared(created_at=datetime(2020, 1, 1, tzinfo=UTC), **common))


def test_policy_begins_on_a_whole_hour_and_history_may_be_old() -> None:
    common: dict[str, Any] = {"event_id": a_uuid(), "occurred_at": NOW, "organization_id": a_uuid()}
    encode(DiscountChanged(discount="0.15", effective_from=NOW + timedelta(days=30), **common), NOW)
    said = refusal(DiscountChanged(discount="0.15", effective_from=NOW + timedelta(minutes=30), **common))
    assert "not a whole UTC hour" in said
    old = datetime(1999, 1, 1, tzinfo=UTC)
    encode(OrganizationCreated(event_id=a_uuid(), occurred_at=old, organization_id=a_uuid(), name="Old"), NOW)


def test_an_event_of_another_contract_is_refused() -> None:
    class Strange(ChatMessage, frozen=True, kw_only=True, tag="strange"):
        """Not in the contract."""

    strange = Strange(
        event_id=a_uuid(),
        occurred_at=NOW,
        organization_id=a_uuid(),
        actor=Actor(type="user", id=a_uuid()),
        conversation_id=a_uuid(),
    )
    assert "not an event of Tally" in refusal(strange)
    assert "strange" not in TOPIC_BY_TYPE


def test_a_policy_of_the_year_2200_is_refused_as_the_worker_refuses_it() -> None:
    common: dict[str, Any] = {"event_id": a_uuid(), "occurred_at": NOW, "organization_id": a_uuid(), "discount": "0.15"}
    encode(DiscountChanged(effective_from=datetime(2199, 12, 31, 23, tzinfo=UTC), **common), NOW)
    said = refusal(DiscountChanged(effective_from=datetime(2200, 1, 1, tzinfo=UTC), **common))
    assert "not between 1970 and 2200" in said


@pytest.mark.parametrize("account", [NIL, "", UUID.upper(), UUID + "\n"])
async def test_nobody_is_forgotten_in_silence(account: str) -> None:
    with pytest.raises(InvalidEvent, match="no profile was forgotten"):
        await Emitter("127.0.0.1:1").forget(account)


def test_errors_are_one_tree() -> None:
    assert issubclass(InvalidEvent, EmitError)
    assert issubclass(UndeliverableEvent, EmitError)


def test_an_undeliverable_event_is_named() -> None:
    event = token()
    error = UndeliverableEvent(
        [DeliveryFailure("tally.token", (Record(b"k", encode(event, NOW)), Record(b"k", None)), "it rains")]
    )
    assert (error.type, error.event_id, error.topic, error.why) == (
        "token.used",
        event.event_id,
        "tally.token",
        "it rains",
    )
    assert str(error) == f"token.used {event.event_id} was not delivered to tally.token (and 1 more): it rains"
    assert "a record" in str(UndeliverableEvent([DeliveryFailure("tally.token", (Record(b"k", b"\xff"),), "it rains")]))


@pytest.mark.parametrize("text", ["", "x", "0" * 36, NIL, UUID + "\n", UUID.upper(), UUID[:-1] + "٣"])
def test_only_one_form_is_a_uuid(text: str) -> None:
    assert is_uuid(a_uuid())
    assert not is_uuid(text)
