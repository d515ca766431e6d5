"""Sessions in Claude Code, Cowork, Office, Design, Science and Chrome."""

from dataclasses import dataclass
from typing import Any

from simulation.actor_context import ActorContext
from simulation.clock import MINUTE, SECOND
from simulation.entities import Organization, Person
from simulation.model_requests import Attribution, execute, request
from simulation.rng import Rng, bag
from simulation.side_activity import call_connector, make_artifact, use_plugin, use_skill
from simulation.world import World

Counters = dict[str, tuple[float, float]]

EDITS: Counters = {
    "edit_accepted": (0.5, 3),
    "edit_rejected": (0.08, 1),
    "multi_edit_accepted": (0.12, 2),
    "multi_edit_rejected": (0.03, 1),
    "write_accepted": (0.2, 1.5),
    "write_rejected": (0.03, 1),
    "notebook_edit_accepted": (0.03, 2),
    "notebook_edit_rejected": (0.01, 1),
}
CODING: Counters = {
    "messages": (0.8, 1.3),
    "tool_uses": (0.9, 8),
    "lines_added": (0.5, 45),
    "lines_removed": (0.35, 18),
    "commits": (0.12, 1.2),
    "pull_requests": (0.04, 1),
}


@dataclass(frozen=True)
class Kind:
    """How a product's sessions run: counters as (probability per turn, mean), extras as probabilities per turn."""

    turns: float
    surfaces: tuple[str, ...]
    counters: Counters
    requests: float = 0.6
    terminals: tuple[str, ...] = ("",)
    remote: float = 0.0
    connector: float = 0.08
    skill: float = 0.05
    plugin: float = 0.0
    artifact: float = 0.0
    execution: float = 0.02
    project: float = 0.0


KINDS: dict[str, Kind] = {
    "claude_code": Kind(
        turns=6,
        surfaces=bag({"terminal": 60, "ide": 25, "desktop": 8, "web": 7}),
        counters=CODING | EDITS,
        requests=1.2,
        terminals=bag({"vscode": 30, "iTerm.app": 20, "tmux": 12, "WarpTerminal": 6, "Apple_Terminal": 10, "": 22}),
        remote=0.15,
        plugin=0.04,
        artifact=0.02,
    ),
    "cowork": Kind(
        turns=4,
        surfaces=bag({"desktop": 85, "web": 10, "": 5}),
        counters={
            "messages": (0.9, 1.2),
            "tool_uses": (0.7, 5),
            "actions": (0.7, 4),
            "dispatch_turns": (0.15, 1.5),
            **EDITS,
        },
        connector=0.15,
        skill=0.1,
        plugin=0.05,
        artifact=0.06,
        execution=0.06,
        project=0.2,
    ),
    "office_agent": Kind(
        turns=3,
        surfaces=bag({"excel": 45, "word": 25, "powerpoint": 20, "outlook": 10}),
        counters={"messages": (0.95, 1.2), "tool_uses": (0.6, 3)},
    ),
    "claude_design": Kind(turns=3, surfaces=("web",), counters={"messages": (0.95, 1.3)}, connector=0.02, project=0.5),
    "science": Kind(
        turns=4,
        surfaces=bag({"web": 7, "desktop": 3}),
        counters={"messages": (0.9, 1.2), "delegations": (0.3, 1.5), "remote_jobs": (0.15, 1.4)},
        execution=0.15,
    ),
    "claude_in_chrome": Kind(turns=3, surfaces=("web",), counters={"messages": (0.9, 1.2), "actions": (0.8, 6)}),
}


def session(world: World, organization: Organization, person: Person, at: int, product: str) -> None:
    """Simulate one session from its start."""
    dice, kind = world.dice, KINDS[product]
    scene = ActorContext(world, organization, person, product, dice.pick(kind.surfaces) or None, dice.uuid())
    where = location(dice, kind)
    scene.put(at, "session.started", {"session_id": scene.session, **where})
    scene.enter_project(at, kind.project)
    if scene.project:
        scene.put(at, "project.used", {})
    tracked = dice.random() < 0.2
    for _ in range(1 + dice.poisson(kind.turns - 1)):
        at += dice.between(30 * SECOND, 9 * MINUTE)
        attribution = {"session_id": scene.session, **where} if tracked else None
        if not turn(scene, kind, at, where, attribution):
            return
        if kind.remote and dice.random() < 0.02:
            where["is_remote"] = not where["is_remote"]


def location(dice: Rng, kind: Kind) -> dict[str, Any]:
    """Return the terminal, and whether the session is remote; omitted for products without them."""
    terminal = dice.pick(kind.terminals)
    where: dict[str, Any] = {"terminal": terminal} if terminal else {}
    if kind.remote:
        where["is_remote"] = dice.random() < kind.remote
    return where


def turn(scene: ActorContext, kind: Kind, at: int, where: dict[str, Any], attribution: Attribution | None) -> bool:
    """Simulate a stretch of work: requests, its activity, and extras. Returns False if no one pays."""
    dice = scene.dice
    if dice.random() < kind.skill:
        attribution = (attribution or {}) | {"skills": [use_skill(scene, at)]}
    for number in range(1 + dice.poisson(kind.requests)):
        if not request(scene, at + number * 9 * SECOND, attribution):
            return False
    done = {"session_id": scene.session, **where, **counts(dice, kind.counters)}
    scene.put(at + 20 * SECOND, "session.activity", done)
    for chance, extra in (
        (kind.connector, call_connector),
        (kind.plugin, use_plugin),
        (kind.artifact, make_artifact),
    ):
        if dice.random() < chance:
            extra(scene, at + 21 * SECOND)
    if dice.random() < kind.execution:
        execute(scene, at + 22 * SECOND, attribution)
    return True


def counts(dice: Rng, counters: Counters) -> dict[str, int]:
    """Return the counts since the session's previous event."""
    return {
        name: 1 + int(dice.expovariate(1 / mean)) for name, (chance, mean) in counters.items() if dice.random() < chance
    }
