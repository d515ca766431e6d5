"""Usage outside people's own products: API keys, service accounts, federated callers, Slack and the console."""

from typing import Any

from deploy.simulation.clock import HOUR, MINUTE, SECOND
from deploy.simulation.dice import Dice, bag
from deploy.simulation.people import Actor, Machine, Organization, Person
from deploy.simulation.requests import execute, request
from deploy.simulation.words import MODELS, SKILLS, UNPRICED_MODEL
from deploy.simulation.world import World

TIERS = bag({"standard": 60, "priority": 15, "priority_on_demand": 5, "flex": 12, "flex_discount": 8})
MODELS_OF_MACHINES = MODELS * 3 + (UNPRICED_MODEL,)
ASKED_IN_SLACK = bag({"dm": 5, "engaged": 6})
UNASKED_IN_SLACK = bag({"monitoring": 4, "proactive": 3, "scheduled": 3})


def work(world: World, organization: Organization, machine: Machine, day: int, requests: float) -> None:
    """A machine's day: single calls through the day, or a batch in the night."""
    if organization.funding(day, allotment_left=False) is None:
        return
    dice = world.dice
    count = dice.poisson(requests)
    night = day + dice.between(HOUR, 5 * HOUR)
    for number in range(count):
        batched = machine.duty == "message_batches_api"
        at = night + number * 2 * SECOND if batched else day + dice.between(0, 24 * HOUR)
        machine.ends = min(machine.active_until(at), world.until)
        if machine.ends:
            DUTIES[machine.duty](world, organization, machine, at)


def call(world: World, organization: Organization, machine: Machine, at: int) -> None:
    """One request to the Messages API."""
    model, tier = world.dice.pick(MODELS_OF_MACHINES), world.dice.pick(TIERS)
    attribution = machine.attribution
    request(world, organization, machine, at, "messages_api", None, model, attribution, tier, searches(world.dice))


def batch_item(world: World, organization: Organization, machine: Machine, at: int) -> None:
    """One request of a batch."""
    model = world.dice.pick(MODELS_OF_MACHINES)
    request(world, organization, machine, at, "message_batches_api", None, model, machine.attribution, "batch")


def agent_step(world: World, organization: Organization, machine: Machine, at: int) -> None:
    """One step of a managed agent, in a session and sometimes for one of the customer's own users."""
    dice = world.dice
    attribution = machine.attribution | {"session_id": dice.uuid()}
    if dice.chance(0.4):
        attribution["user_profile_id"] = dice.uuid()
    if dice.chance(0.2):
        attribution["skills"] = dice.sample(SKILLS, dice.between(1, 4))
    model = dice.pick(MODELS_OF_MACHINES)
    request(
        world, organization, machine, at, "managed_agents_api", None, model, attribution, "standard", searches(dice)
    )
    if dice.chance(0.3):
        execute(world, organization, machine, at + 3 * SECOND, "managed_agents_api", attribution)


def searches(dice: Dice) -> int:
    """The web searches of one request."""
    return 1 + dice.poisson(1.0) if dice.random() < 0.05 else 0


def watch_slack(world: World, organization: Organization, machine: Machine, at: int) -> None:
    """Nobody asked: the assistant follows a channel."""
    attribution = slack(world.dice, organization, machine, world.dice.pick(UNASKED_IN_SLACK))
    request(world, organization, machine, at, "claude_tag", "slack", world.dice.pick(MODELS), attribution)


def ask_in_slack(world: World, organization: Organization, person: Person, at: int) -> None:
    """Somebody asks in Slack, and asks again."""
    attribution = slack(world.dice, organization, person, world.dice.pick(ASKED_IN_SLACK))
    for _ in range(1 + world.dice.poisson(2.0)):
        at += world.dice.between(10 * SECOND, 4 * MINUTE)
        if not request(
            world, organization, person, at, "claude_tag", "slack", world.dice.pick(person.models), attribution
        ):
            return


def slack(dice: Dice, organization: Organization, actor: Actor, category: str) -> dict[str, Any]:
    """Where in Slack, and who; the same person has the same Slack id."""
    attribution = {"slack_channel_id": dice.pick(organization.channels), "claude_tag_category": category}
    if isinstance(actor, Person):
        attribution["claude_tag_user_id"] = f"U{actor.id[:8].upper()}"
    return attribution


def try_in_console(world: World, organization: Organization, person: Person, at: int) -> None:
    """A few prompts tried in the console, in a workspace."""
    attribution: dict[str, Any] = {"workspace_id": world.dice.pick(organization.workspaces)}
    for _ in range(1 + world.dice.poisson(3.0)):
        at += world.dice.between(20 * SECOND, 3 * MINUTE)
        if not request(
            world, organization, person, at, "claude_console", "web", world.dice.pick(person.models), attribution
        ):
            return


def use_another(world: World, organization: Organization, person: Person, at: int) -> None:
    """A request from a product that has no name of its own, or none at all."""
    product = "other" if world.dice.chance(0.7) else None
    request(world, organization, person, at, product, None, world.dice.pick(person.models))


DUTIES = {
    "messages_api": call,
    "message_batches_api": batch_item,
    "managed_agents_api": agent_step,
    "claude_tag": watch_slack,
}
