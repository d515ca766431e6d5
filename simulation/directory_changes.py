"""Changes in an organization during the period: people join, leave and move, and things are renamed."""

from collections.abc import Callable

from simulation.clock import DAY, HOUR, MINUTE
from simulation.directory_writer import DirectoryWriter
from simulation.entities import Machine, Organization, Person
from simulation.new_members import name_and_email
from simulation.vocabulary import CONNECTORS, PLUGINS, SKILLS
from simulation.world import World

MINIMUM_SIZE = 4
"""Organizations with fewer people change only by chance."""


def happen_all(world: World) -> None:
    """Apply all changes in every organization's directory, ordered by time within each organization."""
    for organization in world.organizations:
        registry = DirectoryWriter(world, organization)
        for at, number in sorted(schedule(world, organization)):
            HAPPENINGS[number][0](registry, at)


def schedule(world: World, organization: Organization) -> list[tuple[int, int]]:
    """Return (moment, index into HAPPENINGS) of all changes, each at its monthly rate per 100 people, at least once."""
    scale = len(organization.people) / 100 * world.plan.days / 30
    least = 1 if len(organization.people) >= MINIMUM_SIZE else 0
    times = []
    for number, (_, rate) in enumerate(HAPPENINGS):
        for _ in range(max(least, world.dice.poisson(rate * scale))):
            day = world.start + world.dice.between(0, world.plan.days) * DAY
            times.append((day + world.dice.between(7 * HOUR, 19 * HOUR), number))
    return times


def someone(registry: DirectoryWriter, at: int) -> Person | None:
    """Return a random member or admin with a seat at `at`, if a few tries find one."""
    for _ in range(12):
        person = registry.dice.pick(registry.organization.people)
        if person.present(at) and person.seated and person.role in ("member", "admin"):
            return person
    return None


def some_key(registry: DirectoryWriter, at: int) -> Machine | None:
    """Return a random API key that is in use at `at`."""
    keys = [each for each in registry.organization.machines if each.type == "api_key" and each.active_until(at)]
    return registry.dice.pick(keys) if keys else None


def person_joins(registry: DirectoryWriter, at: int) -> None:
    """A person is invited and accepts within days."""
    invite = registry.invite(at)
    accepted = at + registry.dice.between(10 * MINUTE, 3 * DAY)
    if accepted < registry.world.until - HOUR:
        registry.close_invite(accepted, invite, "accepted")
        registry.join(accepted + 1000)


def invite_waits(registry: DirectoryWriter, at: int) -> None:
    """A person is invited and has not responded yet."""
    registry.invite(at)


def invite_expires(registry: DirectoryWriter, at: int) -> None:
    """An invitation sent 21 days ago expires."""
    registry.close_invite(at, registry.invite(max(registry.organization.founded + HOUR, at - 21 * DAY)), "expired")


def invite_is_revoked(registry: DirectoryWriter, at: int) -> None:
    """An invitation sent by mistake is revoked."""
    registry.close_invite(at + 5 * MINUTE, registry.invite(at), "revoked")


def person_leaves(registry: DirectoryWriter, at: int) -> None:
    """A person leaves the organization."""
    if person := someone(registry, at):
        registry.remove(at, person)


def person_is_deleted(registry: DirectoryWriter, at: int) -> None:
    """A person's account is deleted and the profile forgotten."""
    if person := someone(registry, at):
        registry.delete(at, person)


def person_is_renamed(registry: DirectoryWriter, at: int) -> None:
    """A person gets another name and e-mail address."""
    if person := someone(registry, at):
        person.name, person.email = name_and_email(registry.dice, registry.organization.domain)
        registry.profile(at, person)


def role_changes(registry: DirectoryWriter, at: int) -> None:
    """A person gets another role: often admin, sometimes owner."""
    if person := someone(registry, at):
        person.role = registry.dice.pick(("admin", "member", "owner", "admin"))
        registry.put(at, "role.changed", account_id=person.id, role=person.role)


def ownership_passes(registry: DirectoryWriter, at: int) -> None:
    """Another person becomes the primary owner."""
    owner = next((each for each in registry.organization.people if each.role == "primary_owner"), None)
    heir = someone(registry, at)
    if owner and heir:
        owner.role, heir.role = "owner", "primary_owner"
        registry.put(at, "role.changed", account_id=heir.id, role="primary_owner")
        registry.put(at + 1000, "role.changed", account_id=owner.id, role="owner")


def person_changes_group(registry: DirectoryWriter, at: int) -> None:
    """A person moves from one group to another."""
    person = someone(registry, at)
    if person is None or not registry.organization.groups:
        return
    if person.groups:
        registry.exit(at, person, registry.dice.pick(person.groups))
    others = [group for group in registry.organization.groups if group not in person.groups]
    if others:
        registry.enter(at + 1000, person, registry.dice.pick(others))


def seat_is_taken(registry: DirectoryWriter, at: int) -> None:
    """A seat is unassigned, and in two of three cases assigned again days later."""
    if person := someone(registry, at):
        registry.take_seat(at, person)
        back = at + registry.dice.between(DAY, 6 * DAY)
        if registry.dice.chance(0.66):
            person.settled = back
            registry.give_seat(back, person)


def group_is_renamed(registry: DirectoryWriter, at: int) -> None:
    """A group gets another name, and perhaps another cost center."""
    if registry.organization.groups:
        registry.save_group(at, registry.dice.pick(registry.organization.groups))


def group_comes(registry: DirectoryWriter, at: int) -> None:
    """A group is added."""
    registry.found_group(at)


def group_goes(registry: DirectoryWriter, at: int) -> None:
    """A group is deleted."""
    if len(registry.organization.groups) > 1:
        registry.drop_group(at, registry.dice.pick(registry.organization.groups))


def machine_comes(registry: DirectoryWriter, at: int) -> None:
    """An API key, service account or federated identity is added."""
    registry.add_machine(at, registry.dice.pick(("api_key", "api_key", "service_account", "federated")))


def machine_is_renamed(registry: DirectoryWriter, at: int) -> None:
    """A machine gets another name."""
    machine = registry.dice.pick(registry.organization.machines)
    if machine.active_until(at):
        machine.name = f"{machine.name[:200]} (renamed)"
        registry.save_machine(at, machine)


def key_is_revoked(registry: DirectoryWriter, at: int) -> None:
    """An API key is revoked."""
    if key := some_key(registry, at):
        registry.revoke(at, key)


def project_opens(registry: DirectoryWriter, at: int) -> None:
    """A project is created."""
    if person := someone(registry, at):
        registry.open_project(at, person)


def project_is_renamed(registry: DirectoryWriter, at: int) -> None:
    """A project gets another name."""
    project = registry.dice.pick(registry.organization.projects)
    if project.since < at < project.until:
        project.name = f"{project.name[:200]}, revised"
        registry.save_project(at, project)


def project_closes(registry: DirectoryWriter, at: int) -> None:
    """A project is deleted."""
    project = registry.dice.pick(registry.organization.projects)
    if project.since < at < project.until:
        registry.close_project(at, project)


def extension_is_saved(registry: DirectoryWriter, at: int) -> None:
    """A skill's sharing changes, and a plugin and a connector are saved again."""
    dice = registry.dice
    skill, status = dice.pick(SKILLS), dice.pick(("organization", "private", "public"))
    registry.put(at, "skill.saved", name=skill, display_name=skill.upper(), share_status=status)
    registry.put(at + 1000, "plugin.saved", name=dice.pick(PLUGINS), plugin_id=dice.uuid())
    _, display, spellings = dice.pick(CONNECTORS)
    registry.put(at + 2000, "connector.saved", name=spellings[at % len(spellings)], display_name=f"{display} (beta)")


def organization_is_renamed(registry: DirectoryWriter, at: int) -> None:
    """The organization gets another name."""
    registry.organization.name = f"{registry.organization.name[:200]} Group"
    registry.put(at, "organization.created", name=registry.organization.name)


HAPPENINGS: tuple[tuple[Callable[[DirectoryWriter, int], None], float], ...] = (
    (person_joins, 6.0),
    (invite_waits, 2.0),
    (invite_expires, 2.5),
    (invite_is_revoked, 1.0),
    (person_leaves, 3.0),
    (person_is_deleted, 1.5),
    (person_is_renamed, 2.5),
    (role_changes, 1.5),
    (ownership_passes, 0.2),
    (person_changes_group, 6.0),
    (seat_is_taken, 3.0),
    (group_is_renamed, 1.0),
    (group_comes, 1.0),
    (group_goes, 0.7),
    (machine_comes, 1.5),
    (machine_is_renamed, 1.5),
    (key_is_revoked, 0.7),
    (project_opens, 25.0),
    (project_is_renamed, 4.0),
    (project_closes, 3.0),
    (extension_is_saved, 1.0),
    (organization_is_renamed, 0.2),
)
"""The changes and their rates: times per month for 100 people."""
