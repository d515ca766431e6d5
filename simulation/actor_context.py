"""A scene: who does something, where. Everything that happens in a sitting is put through one."""

from dataclasses import dataclass
from typing import Any

from simulation.entities import Actor, Organization
from simulation.rng import Rng
from simulation.world import World

WITHOUT_PROJECT = frozenset(("session.started", "session.activity", "token.used", "execution.used"))


@dataclass
class ActorContext:
    """Whose conversation, session or calls, in which product, on which surface and in which project."""

    world: World
    organization: Organization
    actor: Actor
    product: str | None = None
    surface: str | None = None
    session: str = ""
    project: str | None = None

    @property
    def dice(self) -> Rng:
        """The world's dice."""
        return self.world.dice

    def enter_project(self, at: int, chance: float) -> None:
        """With this chance go on in one of the organization's projects, if the one drawn is open."""
        if self.dice.random() < chance:
            project = self.dice.pick(self.organization.projects)
            self.project = project.id if project.since <= at < project.until else None

    def put(self, at: int, type_: str, fields: dict[str, Any]) -> None:
        """One event of the scene's actor, in the scene's project where events of its type name one."""
        if self.project is not None and type_ not in WITHOUT_PROJECT:
            fields["project_id"] = self.project
        self.world.outbox.activity(self.actor, at, type_, self.product, self.surface, fields)
