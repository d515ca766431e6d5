"""A chat service that reports each message to Tally, and answers its users whether or not Kafka does.

An event waits in the Emitter's buffer for Kafka. What Kafka does not confirm in time is logged as the very bytes that
were to be sent, so that they can be sent again: an event that Kafka had after all counts once all the same.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel

from tally_client import Actor, ChatMessage, Emitter, Event, InvalidEvent, UndeliverableEvent
from tally_client.emitter import encode

STACK = ".tally"
"""The folder of a `tally up` on this machine. With a Kafka of your own: `Emitter("kafka.example.com:9092", ...)`."""

CONFIRM_SECONDS = float(os.environ.get("CONFIRM_SECONDS", "10"))
"""How long Kafka has to confirm an event, before it is logged as undelivered."""

BUFFER_SECONDS = 0.5
"""How long a request waits at most for room in the buffer, which is full when Kafka has been slow or away for long."""

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
logger = logging.getLogger("service")


class Message(BaseModel):
    """What a person wrote. A real service takes both ids from the session."""

    organization_id: UUID
    account_id: UUID
    text: str


class Reply(BaseModel):
    """The answer to a message."""

    text: str


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """Connect before the first request, and flush after the last.

    The service does not start without Kafka: a wrong address shows at the deployment, and not as missing usage.
    """
    try:
        async with Emitter.of_stack(STACK, delivery_timeout=CONFIRM_SECONDS) as emitter:
            yield {"emitter": emitter}
    except UndeliverableEvent as error:
        log_undelivered(error)


def open_emitter(request: Request) -> Emitter:
    """The Emitter that the lifespan opened, one for the whole process."""
    emitter: Emitter = request.state.emitter
    return emitter


app = FastAPI(title="Chat", lifespan=lifespan)


@app.post("/conversations/{conversation_id}/messages")
async def send_message(
    conversation_id: UUID, message: Message, emitter: Annotated[Emitter, Depends(open_emitter)]
) -> Reply:
    """Answer a message, and report it: one event for each request."""
    reply = Reply(text=f"You wrote {len(message.text)} characters.")
    await report(
        emitter,
        ChatMessage(
            event_id=str(uuid4()),
            occurred_at=datetime.now(UTC),
            organization_id=str(message.organization_id),
            actor=Actor(type="user", id=str(message.account_id)),
            product="chat",
            surface="web",
            conversation_id=str(conversation_id),
        ),
    )
    return reply


async def report(emitter: Emitter, event: Event) -> None:
    """Emit the event; whatever becomes of it, the request that it is about is answered."""
    try:
        async with asyncio.timeout(BUFFER_SECONDS):
            await emit(emitter, event)
    except InvalidEvent:
        logger.exception("this service made an event that would not count")
    except UndeliverableEvent as error:
        log_undelivered(error)
    except TimeoutError:
        logger.warning("undelivered: %s", encode(event, datetime.now(UTC)).decode())


async def emit(emitter: Emitter, event: Event) -> None:
    """Emit the event. An Emitter reports earlier events that failed at the next emit, instead of taking its event."""
    try:
        await emitter.emit(event)
    except UndeliverableEvent as earlier:
        log_undelivered(earlier)
        await emitter.emit(event)


def log_undelivered(error: UndeliverableEvent) -> None:
    """Log each event that Kafka did not confirm, as a line of its own that `tally emit` can send."""
    logger.warning("Kafka did not confirm %d events: %s", len(error.records), error.why)
    for record in error.records:
        logger.warning("undelivered: %s", (record.value or b"").decode())
