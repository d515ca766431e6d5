"""Conversations: messages, the requests behind them, and what comes up on the way."""

from typing import Any

from deploy.simulation.clock import MINUTE, SECOND
from deploy.simulation.dice import bag
from deploy.simulation.extras import Scene, call_connector, make_artifact, upload_file, use_skill
from deploy.simulation.people import Organization, Person
from deploy.simulation.requests import execute, request
from deploy.simulation.world import World

SURFACES = bag({"web": 58, "desktop": 24, "mobile": 14, "": 4})
REMEMBERED = 5


def chat(world: World, organization: Organization, person: Person, at: int) -> None:
    """One sitting in a conversation, new or taken up again."""
    dice = world.dice
    surface = dice.pick(SURFACES) or None
    if person.conversations and dice.chance(0.25):
        conversation, project = dice.pick(person.conversations)
        scene = Scene(world, organization, person, "chat", surface, conversation, project)
    else:
        scene = Scene(world, organization, person, "chat", surface, dice.uuid(), open_project(world, organization, at))
        start(scene, at)
    if scene.project:
        scene.put(at + SECOND, "project.used", {})
    for _ in range(1 + dice.poisson(2.6)):
        at += dice.between(20 * SECOND, 5 * MINUTE)
        if not message(scene, at):
            return


def open_project(world: World, organization: Organization, at: int) -> str | None:
    """A project for two conversations in five, if the one drawn is open."""
    if world.dice.random() > 0.4:
        return None
    project = world.dice.pick(organization.projects)
    return project.id if project.since <= at < project.until else None


def start(scene: Scene, at: int) -> None:
    """A new conversation, which the person may return to."""
    scene.put(at, "chat.started", {"conversation_id": scene.session})
    conversations = scene.person.conversations
    conversations.append((scene.session, scene.project))
    del conversations[:-REMEMBERED]


def message(scene: Scene, at: int) -> bool:
    """One message and its answer; False when nobody pays for it."""
    dice = scene.world.dice
    searches = 1 + dice.poisson(0.5) if dice.random() < 0.06 else 0
    attribution: dict[str, Any] | None = None
    roll = dice.random()
    if roll < 0.04:
        attribution = {"skills": [use_skill(scene, at)]}
    model = dice.pick(scene.person.models)
    world, organization, person = scene.world, scene.organization, scene.person
    if not request(
        world, organization, person, at + SECOND, "chat", scene.surface, model, attribution, "standard", searches
    ):
        return False
    said: dict[str, Any] = {"conversation_id": scene.session, "thinking": dice.random() < 0.3}
    scene.put(at, "chat.message", said | ({"web_searches": searches} if searches else {}))
    for low, high, aside in ASIDES:
        if low <= roll < high:
            aside(scene, at + 3 * SECOND)
    return True


def tool_round(scene: Scene, at: int) -> None:
    """A connector is called, and its answer goes through the model again."""
    call_connector(scene, at)
    model = scene.world.dice.pick(scene.person.models)
    request(scene.world, scene.organization, scene.person, at + 4 * SECOND, "chat", scene.surface, model)


def run_code(scene: Scene, at: int) -> None:
    """Code is run for the answer, sometimes reported without a product."""
    product = None if scene.world.dice.chance(0.6) else "chat"
    execute(scene.world, scene.organization, scene.person, at, product, None)


def view_shared(scene: Scene, at: int) -> None:
    """Somebody else's conversation is opened."""
    scene.put(at, "chat.shared_viewed", {"conversation_id": scene.world.dice.uuid()})


ASIDES = (
    (0.04, 0.16, tool_round),
    (0.16, 0.24, upload_file),
    (0.24, 0.28, run_code),
    (0.28, 0.37, make_artifact),
    (0.37, 0.40, view_shared),
)
"""What comes with a message, by the same roll that decides on a skill: at most one thing a message."""
