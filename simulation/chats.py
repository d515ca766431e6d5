"""Chat: messages, the requests behind them, and side activities."""

from dataclasses import replace
from typing import Any

from simulation.actor_context import ActorContext
from simulation.clock import MINUTE, SECOND
from simulation.entities import Organization, Person
from simulation.model_requests import execute, request
from simulation.rng import bag
from simulation.side_activity import call_connector, make_artifact, upload_file, use_skill
from simulation.world import World

SURFACES = bag({"web": 58, "desktop": 24, "mobile": 14, "": 4})
REMEMBERED = 5
"""Number of recent conversations that a person may return to."""


def chat(world: World, organization: Organization, person: Person, at: int) -> None:
    """Simulate a sitting in a conversation, new or continued."""
    dice = world.dice
    scene = ActorContext(world, organization, person, "chat", dice.pick(SURFACES) or None)
    if person.conversations and dice.chance(0.25):
        scene.session, scene.project = dice.pick(person.conversations)
    else:
        start(scene, person, at)
    if scene.project:
        scene.put(at + SECOND, "project.used", {})
    for _ in range(1 + dice.poisson(2.6)):
        at += dice.between(20 * SECOND, 5 * MINUTE)
        if not message(scene, at):
            return


def start(scene: ActorContext, person: Person, at: int) -> None:
    """Start a new conversation, two in five of them in a project."""
    scene.session = scene.dice.uuid()
    scene.enter_project(at, 0.4)
    scene.put(at, "chat.started", {"conversation_id": scene.session})
    person.conversations.append((scene.session, scene.project))
    del person.conversations[:-REMEMBERED]


def message(scene: ActorContext, at: int) -> bool:
    """Simulate a message and its response. Returns False if no one pays for it."""
    dice = scene.dice
    searches = 1 + dice.poisson(0.5) if dice.random() < 0.06 else 0
    roll = dice.random()
    attribution = {"skills": [use_skill(scene, at)]} if roll < ASIDES[0][0] else None
    if not request(scene, at + SECOND, attribution, searches=searches):
        return False
    said: dict[str, Any] = {"conversation_id": scene.session, "thinking": dice.random() < 0.3}
    scene.put(at, "chat.message", said | ({"web_searches": searches} if searches else {}))
    for low, high, aside in ASIDES:
        if low <= roll < high:
            aside(scene, at + 3 * SECOND)
    return True


def tool_round(scene: ActorContext, at: int) -> None:
    """Call a connector and pass its result through the model."""
    call_connector(scene, at)
    request(scene, at + 4 * SECOND)


def run_code(scene: ActorContext, at: int) -> None:
    """Run code for the response; most clients report it without product and surface."""
    execute(replace(scene, product=None, surface=None) if scene.dice.chance(0.6) else scene, at)


def view_shared(scene: ActorContext, at: int) -> None:
    """Open another person's conversation."""
    scene.put(at, "chat.shared_viewed", {"conversation_id": scene.dice.uuid()})


ASIDES = (
    (0.04, 0.16, tool_round),
    (0.16, 0.24, upload_file),
    (0.24, 0.28, run_code),
    (0.28, 0.37, make_artifact),
    (0.37, 0.40, view_shared),
)
"""Side activities of a message, by one draw from 0 to 1: below these ranges a skill, above them none."""
