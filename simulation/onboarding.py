"""The founding of organizations some days before the period: kinds, sizes, policies, people and machines."""

from collections.abc import Callable

from simulation.clock import DAY, HOUR, MINUTE, SECOND, moment
from simulation.directory_writer import DirectoryWriter
from simulation.entities import SEAT_BASED, TEAM, USAGE_BASED, Organization
from simulation.vocabulary import CONNECTORS, ORGANIZATION_NAMES, PLUGINS, SKILLS
from simulation.world import World

SHARES = {
    "usage_based": 34,
    "seats_extra_on": 24,
    "team": 15,
    "switching": 14,
    "seats_extra_off": 11,
    "tiny": 0,
}
"""The kinds of organizations, in the order of creation, and each kind's share of the people."""

MACHINES = ("api_key", "api_key", "service_account", "service_account", "federated")


def found_all(world: World) -> None:
    """Create all organizations as they are when the period begins, with the events that lead there."""
    kinds = [list(SHARES)[number % len(SHARES)] for number in range(world.plan.organizations)]
    for number, (kind, people) in enumerate(zip(kinds, sizes(kinds, world.plan.users), strict=True)):
        found(world, number, kind, people)


def sizes(kinds: list[str], users: int) -> list[int]:
    """Split `users` by the kinds' shares, with later repeats of a kind smaller, and at least 1 each."""
    weights = [SHARES[kind] / (1 + number // len(SHARES)) for number, kind in enumerate(kinds)]
    spare = users - len(kinds)
    split = [1 + int(spare * weight / sum(weights)) for weight in weights]
    tiny = [number for number, kind in enumerate(kinds) if kind == "tiny"]
    for number in tiny:
        split[number] = min(3, 1 + spare // (20 * len(kinds)))
    split[0] += users - sum(split)
    return split


def found(world: World, number: int, kind: str, people: int) -> None:
    """Create one organization, founded 5 to 40 days before the period."""
    dice = world.dice
    at = (world.start - dice.between(5, 40) * DAY) // HOUR * HOUR + dice.between(0, HOUR)
    name = ORGANIZATION_NAMES[number % len(ORGANIZATION_NAMES)]
    name += "" if number < len(ORGANIZATION_NAMES) else f" {number}"
    organization = Organization(dice.uuid(), name, kind, f"org{number + 1}.example", at, people)
    organization.geo = (None, "global", "us")[number % 3]
    organization.workspaces = [dice.uuid() for _ in range(3)]
    organization.channels = [f"C{dice.getrandbits(40):010X}" for _ in range(4)]
    world.organizations.append(organization)
    registry = DirectoryWriter(world, organization)
    registry.put(at, "organization.created", name=name)
    registry.buy_seats(at, 0)
    POLICIES[kind](registry, at)
    furnish(registry, at + MINUTE)
    populate(registry, at + HOUR, people)


def furnish(registry: DirectoryWriter, at: int) -> None:
    """Add groups, connectors, skills, plugins and machines."""
    dice, organization = registry.dice, registry.organization
    for number in range(dice.between(2, 6)):
        registry.found_group(at + number * SECOND)
    for key, display, spellings in CONNECTORS:
        organization.connectors.append(spellings)
        registry.put(at + 10 * SECOND, "connector.saved", name=key, display_name=display)
    for skill in SKILLS:
        status = dice.pick(("organization", "private", "public"))
        registry.put(at + 11 * SECOND, "skill.saved", name=skill, display_name=skill.title(), share_status=status)
    for plugin in PLUGINS:
        registry.put(at + 12 * SECOND, "plugin.saved", name=plugin, plugin_id=dice.uuid())
    for type_ in MACHINES:
        registry.add_machine(at + 13 * SECOND, type_)


def populate(registry: DirectoryWriter, at: int, people: int) -> None:
    """Add the first people, seats for them and a few more, and projects."""
    registry.buy_seats(at, people + max(1, people // 8))
    step = min(MINUTE, DAY // people)
    for number in range(people):
        role = "primary_owner" if number == 0 else "owner" if number == 1 else "admin" if number % 25 == 2 else "member"
        registry.join(at + (number + 1) * step, role)
    for _ in range(1 + people // 8):
        creator = registry.dice.pick(registry.organization.people)
        registry.open_project(registry.world.start - registry.dice.between(1, 2 * DAY), creator)


def hour_of_period(registry: DirectoryWriter, share: float) -> int:
    """Return the whole hour at which this share of the period has passed."""
    world = registry.world
    return (world.start + int(share * (world.until - world.start))) // HOUR * HOUR


def mid_month(registry: DirectoryWriter) -> int:
    """Return the first 16th of a month in the period at 09:00 UTC, else the middle of the period."""
    world = registry.world
    for day in range(world.start, world.until, DAY):
        if moment(day).day == 16:
            return day + 9 * HOUR
    return hour_of_period(registry, 0.5)


def team(registry: DirectoryWriter, at: int) -> None:
    """A Team plan: seats without extra usage."""
    registry.adopt_policy(at, at // HOUR * HOUR, TEAM, False)


def usage_based(registry: DirectoryWriter, at: int) -> None:
    """A usage-based plan; the discount changes in mid-month and is later corrected retroactively."""
    registry.adopt_policy(at, at // HOUR * HOUR, USAGE_BASED, False)
    registry.discount(at + 2 * SECOND, at, "0.1")
    change = mid_month(registry)
    registry.discount(change - 10 * HOUR, change, "0.175")
    correction = max(change, hour_of_period(registry, 0.85))
    registry.discount(correction, correction - 2 * DAY, "0.181818")


def seats_extra_on(registry: DirectoryWriter, at: int) -> None:
    """A seat-based plan on which usage beyond the seats is allowed and billed."""
    registry.adopt_policy(at, at // HOUR * HOUR, SEAT_BASED, True)
    registry.discount(at + 2 * SECOND, at, "0.05")


def seats_extra_off(registry: DirectoryWriter, at: int) -> None:
    """A seat-based plan without extra usage: people who have exhausted their seat wait for the next week."""
    registry.adopt_policy(at, at // HOUR * HOUR, SEAT_BASED, False)


def switching(registry: DirectoryWriter, at: int) -> None:
    """A seat-based plan, then with extra usage for a while, then usage-based."""
    registry.adopt_policy(at, at // HOUR * HOUR, SEAT_BASED, False)
    for share, plan, extra_usage in ((0.3, SEAT_BASED, True), (0.55, SEAT_BASED, False), (0.7, USAGE_BASED, False)):
        since = hour_of_period(registry, share)
        registry.adopt_policy(since - HOUR, since, plan, extra_usage)


def tiny(registry: DirectoryWriter, at: int) -> None:
    """Three people on a usage-based plan, without a discount."""
    registry.adopt_policy(at, at // HOUR * HOUR, USAGE_BASED, False)


POLICIES: dict[str, Callable[[DirectoryWriter, int], None]] = {
    "usage_based": usage_based,
    "seats_extra_on": seats_extra_on,
    "team": team,
    "switching": switching,
    "seats_extra_off": seats_extra_off,
    "tiny": tiny,
}
