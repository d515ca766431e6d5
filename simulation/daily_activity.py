"""The daily activity of people and machines over the period."""

from collections.abc import Callable, Iterator

from intake.ndjson import ProducerRecord
from simulation.chats import chat
from simulation.clock import DAY, MINUTE, weekday
from simulation.directory_changes import happen_all
from simulation.entities import Organization, Person
from simulation.machines import ask_in_slack, try_in_console, use_another, work
from simulation.onboarding import found_all
from simulation.plan import Plan
from simulation.product_sessions import KINDS, session
from simulation.world import World

EVENTS_A_DAY = 25.8
"""Events per person on an average day at intensity 1, averaged over idle people and including machines."""

MACHINES_SHARE = 0.07

SITTING = {
    "chat": 10.5,
    "claude_code": 20.6,
    "cowork": 13.7,
    "office_agent": 9.2,
    "claude_design": 8.9,
    "science": 12.2,
    "claude_in_chrome": 9.3,
    "claude_tag": 3.3,
    "claude_console": 3.3,
    "other": 3.3,
}
"""Measured events per sitting in each product, which convert a rate of events to one of sittings."""

WEEK_FACTOR = 7 / 5.2


def live(plan: Plan) -> Iterator[ProducerRecord]:
    """Yield every valid record of the history, in order of arrival."""
    world = World.of(plan)
    found_all(world)
    happen_all(world)
    settle_rates(world)
    for day in range(world.start, world.until, DAY):
        for organization in world.organizations:
            spend_day(world, organization, day)
        yield from world.outbox.release(before=day + DAY)
    yield from world.outbox.release()


def settle_rates(world: World) -> None:
    """Scale the rates of all people and machines so that the total number of events is that of the plan."""
    total = EVENTS_A_DAY * world.plan.intensity * world.plan.users
    people = [person for organization in world.organizations for person in organization.people]
    machines = [machine for organization in world.organizations for machine in organization.machines]
    scale = total * (1 - MACHINES_SHARE) / (sum(person.rate for person in people) or 1.0)
    for person in people:
        mean = sum(SITTING[product] for product in person.habits) / len(person.habits)
        person.rate *= scale * WEEK_FACTOR / mean
    scale = total * MACHINES_SHARE / sum(machine.rate for machine in machines)
    for machine in machines:
        machine.rate *= scale


def spend_day(world: World, organization: Organization, day: int) -> None:
    """Simulate one organization's day; some days are much busier or quieter than others."""
    mood = world.dice.pick(MOODS)
    for person in organization.people:
        if person.rate:
            spend_day_of(world, organization, person, day, person.rate * mood)
    for machine in organization.machines:
        work(world, organization, machine, day, machine.rate * mood)


def spend_day_of(world: World, organization: Organization, person: Person, day: int, sittings: float) -> None:
    """Simulate one person's day: sittings at the hours of their time zone, fewer on weekends."""
    dice = world.dice
    for _ in range(dice.poisson(sittings * dice.pick(BURSTS))):
        local = dice.pick(person.hours) * 60 + dice.between(0, 60)
        at = day + (local - person.zone) % 1440 * MINUTE + dice.between(0, MINUTE)
        if weekday(at + person.zone * MINUTE) >= 5 and dice.random() > person.weekend:
            continue
        person.ends = min(person.active_until(at), world.until)
        if person.ends:
            sit_down(world, organization, person, at)


def sit_down(world: World, organization: Organization, person: Person, at: int) -> None:
    """Simulate one sitting in a product that the person uses."""
    product = world.dice.pick(person.habits)
    if product in KINDS:
        session(world, organization, person, at, product)
    else:
        SITTINGS[product](world, organization, person, at)


MOODS = (0.5, 0.8, 0.9, 1.0, 1.0, 1.0, 1.1, 1.1, 1.2, 1.4)
BURSTS = (0.2, 0.4, 0.6, 0.8, 1.0, 1.0, 1.0, 1.2, 1.4, 2.4)

SITTINGS: dict[str, Callable[[World, Organization, Person, int], None]] = {
    "chat": chat,
    "claude_tag": ask_in_slack,
    "claude_console": try_in_console,
    "other": use_another,
}
