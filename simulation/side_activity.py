"""Side activities of conversations and sessions: connectors, skills, plugins, files, artifacts."""

from typing import Any

from simulation.actor_context import ActorContext
from simulation.clock import DAY, MINUTE, SECOND, utc_text, zoned_text
from simulation.rng import bag
from simulation.vocabulary import PLUGINS, SKILLS

ACCESS = bag({"read": 7, "write": 2, "unclassified": 1})
AUTH_MODES = bag({"managed": 5, "individual": 4, "none": 1})
CHAT_ARTIFACTS = bag(
    {
        "text/markdown": 30,
        "application/vnd.ant.code": 22,
        "application/vnd.ant.react": 16,
        "text/html": 14,
        "image/svg+xml": 8,
        "application/vnd.ant.mermaid": 6,
        "text/plain": 3,
        "other": 1,
    }
)


def in_session(scene: ActorContext, fields: dict[str, Any], share: float = 0.9) -> dict[str, Any]:
    """Return the fields, for this share of clients with the session or conversation they belong to."""
    return fields | {"session_id": scene.session} if scene.dice.random() < share else fields


def first_time(scene: ActorContext, thing: str) -> bool:
    """Return True if the person uses this connector, skill or plugin for the first time."""
    if thing in scene.actor.familiar:
        return False
    scene.actor.familiar.add(thing)
    return True


def call_connector(scene: ActorContext, at: int) -> None:
    """Call a connector's tool, under one of the connector's spellings."""
    dice = scene.dice
    name = dice.pick(dice.pick(scene.organization.connectors))
    if first_time(scene, f"connector {name}"):
        fields = {"name": name, "auth_mode": dice.pick(AUTH_MODES)}
        scene.put(at - 5 * SECOND, "connector.connected", in_session(scene, fields, 0.4))
    for number in range(1 + dice.poisson(0.4)):
        fields = {"name": name, "access": dice.pick(ACCESS), "auth_mode": dice.pick(AUTH_MODES)}
        scene.put(at + number * 700, "connector.called", in_session(scene, fields))


def use_skill(scene: ActorContext, at: int) -> str:
    """Activate a skill and return its name."""
    dice = scene.dice
    name = dice.pick(SKILLS)
    if first_time(scene, f"skill {name}"):
        scene.put(at - 9 * SECOND, "skill.enabled", in_session(scene, {"name": name}, 0.4))
    scene.put(at, "skill.used", in_session(scene, {"name": name}))
    return name


def use_plugin(scene: ActorContext, at: int) -> None:
    """Invoke a plugin."""
    dice = scene.dice
    name = dice.pick(PLUGINS)
    if first_time(scene, f"plugin {name}"):
        scene.put(at - 9 * SECOND, "plugin.installed", in_session(scene, {"name": name}, 0.4))
    scene.put(at, "plugin.used", in_session(scene, {"name": name}))


def upload_file(scene: ActorContext, at: int) -> None:
    """Upload a file."""
    scene.put(at, "file.uploaded", {"file_id": scene.dice.uuid()})


def make_artifact(scene: ActorContext, at: int) -> None:
    """Create an artifact, perhaps shared, published and viewed on the following days."""
    dice, owner = scene.dice, scene.actor
    kind = dice.pick(CHAT_ARTIFACTS) if scene.product == "chat" else "text/html"
    artifact = {"artifact_id": dice.uuid(), "artifact_type": kind}
    scene.put(at, "artifact.created", dict(artifact))
    artifact["created_at"] = zoned_text(at, owner.zone) if owner.stamps_zone else utc_text(at)
    if dice.chance(0.3):
        shared = at + dice.between(MINUTE, 2 * DAY)
        scene.put(shared, "artifact.shared", dict(artifact))
        for _ in range(dice.poisson(1.5)):
            scene.put(shared + dice.between(MINUTE, 5 * DAY), "artifact.viewed", dict(artifact))
    if dice.chance(0.08):
        scene.put(at + dice.between(MINUTE, 3 * DAY), "artifact.published", dict(artifact))
