"""What happens beside the messages of any conversation or session: connectors, skills, plugins, files, artifacts."""

from dataclasses import dataclass
from typing import Any

from deploy.simulation.clock import DAY, MINUTE, SECOND, utc_text, zoned_text
from deploy.simulation.dice import bag
from deploy.simulation.people import Organization, Person
from deploy.simulation.words import PLUGINS, SKILLS
from deploy.simulation.world import World

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


@dataclass(frozen=True)
class Scene:
    """Where something happens: whose conversation or session, in which product, on which surface and project."""

    world: World
    organization: Organization
    person: Person
    product: str
    surface: str | None
    session: str
    project: str | None = None

    def put(self, at: int, type_: str, fields: dict[str, Any]) -> None:
        """One event of the scene's person."""
        if self.project is not None and type_ not in WITHOUT_PROJECT:
            fields["project_id"] = self.project
        self.world.outbox.activity(self.person, at, type_, self.product, self.surface, fields)


WITHOUT_PROJECT = frozenset(("session.started", "session.activity"))


def in_session(scene: Scene, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, mostly with the session or conversation they belong to; some clients leave it out."""
    return fields | {"session_id": scene.session} if scene.world.dice.random() < 0.9 else fields


def first_time(scene: Scene, thing: str) -> bool:
    """Whether the person meets this connector, skill or plugin for the first time."""
    if thing in scene.person.familiar:
        return False
    scene.person.familiar.add(thing)
    return True


def call_connector(scene: Scene, at: int) -> None:
    """A connector's tool is called, under one of its spellings."""
    dice = scene.world.dice
    name = dice.pick(dice.pick(scene.organization.connectors))
    if first_time(scene, f"connector {name}"):
        mode = "managed" if dice.chance(0.3) else "individual"
        where = in_session(scene, {}) if dice.chance(0.4) else {}
        scene.put(at - 5 * SECOND, "connector.connected", {"name": name, "auth_mode": mode} | where)
    for number in range(1 + dice.poisson(0.4)):
        fields = {"name": name, "access": dice.pick(ACCESS), "auth_mode": dice.pick(AUTH_MODES)}
        scene.put(at + number * 700, "connector.called", in_session(scene, fields))


def use_skill(scene: Scene, at: int) -> str:
    """A skill is activated; answers its name."""
    dice = scene.world.dice
    name = dice.pick(SKILLS)
    if first_time(scene, f"skill {name}"):
        scene.put(
            at - 9 * SECOND, "skill.enabled", {"name": name} | (in_session(scene, {}) if dice.chance(0.4) else {})
        )
    scene.put(at, "skill.used", in_session(scene, {"name": name}))
    return name


def use_plugin(scene: Scene, at: int) -> None:
    """A plugin is invoked."""
    dice = scene.world.dice
    name = dice.pick(PLUGINS)
    if first_time(scene, f"plugin {name}"):
        where = in_session(scene, {}) if dice.chance(0.4) else {}
        scene.put(at - 9 * SECOND, "plugin.installed", {"name": name} | where)
    scene.put(at, "plugin.used", in_session(scene, {"name": name}))


def upload_file(scene: Scene, at: int) -> None:
    """A file is uploaded."""
    scene.put(at, "file.uploaded", {"file_id": scene.world.dice.uuid()})


def make_artifact(scene: Scene, at: int) -> None:
    """An artifact is made, and perhaps shared, published and looked at in the days that follow."""
    dice, person = scene.world.dice, scene.person
    kind = dice.pick(CHAT_ARTIFACTS) if scene.product == "chat" else "text/html"
    artifact = {"artifact_id": dice.uuid(), "artifact_type": kind}
    scene.put(at, "artifact.created", dict(artifact))
    artifact["created_at"] = zoned_text(at, person.zone) if person.stamps_zone else utc_text(at)
    if dice.chance(0.3):
        shared = at + dice.between(MINUTE, 2 * DAY)
        scene.put(shared, "artifact.shared", dict(artifact))
        for _ in range(dice.poisson(1.5)):
            scene.put(shared + dice.between(MINUTE, 5 * DAY), "artifact.viewed", dict(artifact))
    if dice.chance(0.08):
        scene.put(at + dice.between(MINUTE, 3 * DAY), "artifact.published", dict(artifact))
