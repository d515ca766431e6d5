"""New people and machines: their identity, and what, when and how much they use."""

from simulation.clock import SECOND
from simulation.entities import Machine, Organization, Person
from simulation.outbox import FOREVER
from simulation.rng import Rng, bag
from simulation.vocabulary import (
    FIRST_NAMES,
    KEY_NAMES,
    LAST_NAMES,
    MODELS,
    ODD_EMAILS,
    ODD_NAMES,
    SERVICE_NAMES,
    UNPRICED_MODEL,
    ZONES,
)
from simulation.world import World

IDLE = 0.10
"""The share of people who have a seat and never use it."""

HEAVINESS = 1.1
HEAVIEST = 14.0
"""The spread of people's rates, and the maximum as a multiple of the median: a few people use a great deal."""
LARGEST_SKEW = 4 * 60 * SECOND
"""The maximum clock skew: events of a clock that is further ahead would be rejected."""
ALLOTMENT = 900_000
"""Weighted tokens that a seat covers per week; about one person in seven exhausts them."""

OFFICE_HOURS = bag({7: 1, 8: 4, 9: 9, 10: 11, 11: 10, 12: 5, 13: 7, 14: 11, 15: 10, 16: 9, 17: 6, 18: 3, 20: 1, 21: 1})
LATE_HOURS = bag({0: 4, 1: 3, 2: 1, 10: 2, 13: 4, 15: 5, 17: 5, 19: 6, 20: 8, 21: 10, 22: 10, 23: 7})

HABITS = (
    bag({"chat": 78, "office_agent": 8, "claude_in_chrome": 4, "cowork": 6, "claude_tag": 3, "other": 1}),
    bag({"claude_code": 62, "chat": 26, "claude_console": 5, "cowork": 4, "claude_tag": 3}),
    bag({"cowork": 42, "chat": 38, "office_agent": 14, "claude_in_chrome": 6}),
    bag({"claude_design": 46, "chat": 40, "office_agent": 9, "cowork": 5}),
    bag({"science": 50, "chat": 32, "claude_code": 18}),
)
HABITS_DRAWN = bag({0: 48, 1: 30, 2: 12, 3: 6, 4: 4})

MACHINE_DUTIES = {
    "api_key": ("messages_api", "message_batches_api", "managed_agents_api"),
    "service_account": ("managed_agents_api", "claude_tag", "messages_api"),
    "federated": ("messages_api", "managed_agents_api"),
}
EXPERIMENTAL_MODELS = MODELS * 3 + (UNPRICED_MODEL,)
PROVIDERS = ("aws", "azure", "gcp", "oidc")


def name_and_email(dice: Rng, domain: str) -> tuple[str, str]:
    """Return a person's name and e-mail address; about one in sixteen is unusual."""
    first, last = dice.pick(FIRST_NAMES), dice.pick(LAST_NAMES)
    plain = f"{first}.{last}".lower().replace("'", "")
    name = dice.pick(ODD_NAMES) if dice.chance(0.06) else f"{first} {last}"
    local = f"{plain}{dice.between(1, 10_000)}"
    odd = dice.pick(ODD_EMAILS).format(domain=f"{local[:40]}.{domain}")
    return name, odd if dice.chance(0.04) else f"{local}@{domain}"


def new_person(world: World, organization: Organization, at: int, role: str) -> Person:
    """Return a person who joins at `at`; a tenth of all people are idle, and a few use a great deal."""
    dice = world.dice
    name, email = name_and_email(dice, organization.domain)
    skew = dice.between(-LARGEST_SKEW, LARGEST_SKEW)
    person = Person(
        "user",
        dice.uuid(),
        organization.id,
        zone=dice.pick(ZONES),
        skew=skew if dice.chance(world.plan.clock_skew) else 0,
        stamps_zone=dice.chance(0.03),
        name=name,
        email=email,
        role=role,
        settled=at,
        habits=HABITS[dice.pick(HABITS_DRAWN)],
        hours=LATE_HOURS if dice.chance(0.12) else OFFICE_HOURS,
        weekend=0.5 if dice.chance(0.1) else 0.08,
        allotment=ALLOTMENT,
    )
    unpriced = organization.experiments and dice.chance(0.15)
    person.models = tuple(dice.pick(MODELS) for _ in range(5)) + ((UNPRICED_MODEL,) if unpriced else ())
    person.rate = 0.0 if dice.chance(IDLE) else min(HEAVIEST, dice.lognormvariate(0.0, HEAVINESS))
    return person


def new_machine(world: World, organization: Organization, at: int, type_: str) -> Machine:
    """Return a machine that works from `at` on; duty and provider depend on how many the organization has already."""
    dice = world.dice
    number = sum(machine.type == type_ for machine in organization.machines)
    names = KEY_NAMES if type_ == "api_key" else SERVICE_NAMES
    duties = MACHINE_DUTIES[type_]
    machine = Machine(
        type_,
        dice.uuid(),
        organization.id,
        name=f"{dice.pick(names)} {dice.between(1, 99)}",
        duty=duties[number % len(duties)],
        provider=PROVIDERS[(len(world.organizations) + number) % len(PROVIDERS)],
        rate=min(HEAVIEST, dice.lognormvariate(0.0, HEAVINESS)) * organization.size,
        models=EXPERIMENTAL_MODELS if organization.experiments else MODELS,
        spells=[(at, FOREVER)],
    )
    machine.attribution = attribution_of(dice, organization, machine)
    return machine


def attribution_of(dice: Rng, organization: Organization, machine: Machine) -> dict[str, object]:
    """Return the attribution of a machine's usage."""
    attribution: dict[str, object] = {}
    if dice.chance(0.6):
        attribution["workspace_id"] = dice.pick(organization.workspaces)
    if machine.type == "api_key":
        attribution["api_key_id"] = machine.id
    if machine.duty == "managed_agents_api":
        attribution |= {name: dice.uuid() for name in ("agent_id", "deployment_id", "environment_id")}
    return attribution
