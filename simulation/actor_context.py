"""The context of an activity: its actor, product, surface and project. Events are emitted through it."""

from dataclasses import dataclass
from typing import Any

from simulation.entities import Actor, Organization
from simulation.rng import Rng
from simulation.world import World

WITHOUT_PROJECT = frozenset(("session.started", "session.activity", "token.used", "execution.used"))


@dataclass
class ActorContext:
    """The actor, product, surface, session and project of a conversation, session or series of calls."""

    world: World
    organization: Organization
    actor: Actor
    product: str | None = None
    surface: str | None = None
    session: str = ""
    project: str | None = None

    @property
    def dice(self) -> Rng:
        """The world's random numbers."""
        return self.world.dice

    def enter_project(self, at: int, chance: float) -> None:
        """With this probability, continue in a random project of the organization, if that project is open."""
        if self.dice.random() < chance:
            project = self.dice.pick(self.organization.projects)
            self.project = project.id if project.since <= at < project.until else None

    def put(self, at: int, type_: str, fields: dict[str, Any]) -> None:
        """Emit an event of the actor, with the project if events of this type have one."""
        if self.project is not None and type_ not in WITHOUT_PROJECT:
            fields["project_id"] = self.project
        self.world.outbox.activity(self.actor, at, type_, self.product, self.surface, fields)
