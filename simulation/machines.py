"""Usage outside of people's products: API keys, service accounts, federated callers, Slack and the console."""

from simulation.actor_context import ActorContext
from simulation.clock import DAY, HOUR, MINUTE, SECOND
from simulation.entities import Machine, Organization, Person
from simulation.model_requests import Attribution, execute, request
from simulation.rng import Rng, bag
from simulation.vocabulary import SKILLS
from simulation.world import World

TIERS = bag({"standard": 78, "priority": 16, "priority_on_demand": 6})
EXPERIMENTAL_TIERS = bag({"standard": 70, "priority": 14, "priority_on_demand": 5, "flex": 7, "flex_discount": 4})
ASKED_IN_SLACK = bag({"dm": 5, "engaged": 6})
UNASKED_IN_SLACK = bag({"monitoring": 4, "proactive": 3, "scheduled": 3})


def work(world: World, organization: Organization, machine: Machine, day: int, requests: float) -> None:
    """Simulate a machine's day: single calls over the day, or one batch at night. Machines have no seat."""
    dice = world.dice
    scene = ActorContext(world, organization, machine, machine.duty)
    night = day + dice.between(HOUR, 5 * HOUR)
    for number in range(dice.poisson(requests)):
        batched = machine.duty == "message_batches_api"
        at = night + number * 2 * SECOND if batched else day + dice.between(0, DAY)
        machine.ends = min(machine.active_until(at), world.until)
        if machine.ends:
            DUTIES[machine.duty](scene, machine, at)


def call(scene: ActorContext, machine: Machine, at: int) -> None:
    """Make one request to the Messages API."""
    tiers = EXPERIMENTAL_TIERS if scene.organization.experiments else TIERS
    request(scene, at, machine.attribution, scene.dice.pick(tiers), searches(scene.dice))


def batch_item(scene: ActorContext, machine: Machine, at: int) -> None:
    """Make one request of a batch."""
    request(scene, at, machine.attribution, "batch")


def agent_step(scene: ActorContext, machine: Machine, at: int) -> None:
    """Make one step of a managed agent, in a session and sometimes for a user of the customer's."""
    dice = scene.dice
    attribution = machine.attribution | {"session_id": dice.uuid()}
    if dice.chance(0.4):
        attribution["user_profile_id"] = dice.uuid()
    if dice.chance(0.2):
        attribution["skills"] = dice.sample(SKILLS, dice.between(1, 4))
    if request(scene, at, attribution, searches=searches(dice)) and dice.chance(0.3):
        execute(scene, at + 3 * SECOND, attribution)


def watch_slack(scene: ActorContext, machine: Machine, at: int) -> None:
    """Make a request without being asked: the assistant follows a channel."""
    scene.surface = "slack"
    request(scene, at, machine.attribution | in_slack(scene, scene.dice.pick(UNASKED_IN_SLACK)))


def searches(dice: Rng) -> int:
    """Return the number of web searches of one request."""
    return 1 + dice.poisson(1.0) if dice.random() < 0.05 else 0


def in_slack(scene: ActorContext, category: str) -> Attribution:
    """Return the attribution to a Slack channel and occasion."""
    return {"slack_channel_id": scene.dice.pick(scene.organization.channels), "claude_tag_category": category}


def ask_in_slack(world: World, organization: Organization, person: Person, at: int) -> None:
    """Simulate a person's questions in Slack."""
    scene = ActorContext(world, organization, person, "claude_tag", "slack")
    attribution = in_slack(scene, scene.dice.pick(ASKED_IN_SLACK))
    attribution["claude_tag_user_id"] = f"U{person.id[:8].upper()}"
    ask_again(scene, at, attribution)


def try_in_console(world: World, organization: Organization, person: Person, at: int) -> None:
    """Simulate a few prompts in the console, in a workspace."""
    scene = ActorContext(world, organization, person, "claude_console", "web")
    ask_again(scene, at, {"workspace_id": scene.dice.pick(organization.workspaces)})


def use_another(world: World, organization: Organization, person: Person, at: int) -> None:
    """Simulate requests from a product without a name of its own, or without any product."""
    ask_again(ActorContext(world, organization, person, "other" if world.dice.chance(0.7) else None), at, None)


def ask_again(scene: ActorContext, at: int, attribution: Attribution | None) -> None:
    """Make a few requests, minutes apart, as long as someone pays."""
    for _ in range(1 + scene.dice.poisson(2.4)):
        at += scene.dice.between(10 * SECOND, 4 * MINUTE)
        if not request(scene, at, attribution):
            return


DUTIES = {
    "messages_api": call,
    "message_batches_api": batch_item,
    "managed_agents_api": agent_step,
    "claude_tag": watch_slack,
}
