"""The directory of one organization: each step changes the organization and writes the matching directory events."""

from typing import Any

from simulation.clock import HOUR, SECOND, utc_text
from simulation.entities import Machine, Organization, Person, Policy, Project
from simulation.new_members import new_machine, new_person
from simulation.outbox import FOREVER
from simulation.vocabulary import COST_CENTERS, GROUP_NAMES, ODD_NAMES, PROJECT_NAMES
from simulation.world import World


class DirectoryWriter:
    """Steps in an organization's history; `at` is in milliseconds, and events with one cause are a second apart."""

    def __init__(self, world: World, organization: Organization) -> None:
        self.world = world
        self.dice = world.dice
        self.organization = organization

    def put(self, at: int, type_: str, **fields: Any) -> None:
        """Write one directory or profile event."""
        self.world.outbox.directory(self.organization.id, at, type_, fields)

    def adopt_policy(self, announced: int, since: int, plan: str, extra_usage: bool) -> None:
        """Set a plan and whether extra usage is on, in force from `since` (a whole hour)."""
        before = self.organization.policies[-1] if self.organization.policies else None
        self.organization.policies.append(Policy(since, plan, extra_usage))
        if before is None or before.plan != plan:
            self.put(announced, "plan.changed", effective_from=utc_text(since), plan=plan)
        if before is None or before.extra_usage != extra_usage:
            self.put(announced + SECOND, "extra_usage.changed", effective_from=utc_text(since), enabled=extra_usage)

    def discount(self, announced: int, since: int, discount: str) -> None:
        """Set a discount in force from `since` (a whole hour), which may be before or after its announcement."""
        self.put(announced, "discount.changed", effective_from=utc_text(since // HOUR * HOUR), discount=discount)

    def buy_seats(self, at: int, seats: int) -> None:
        """Set the number of purchased seats from now on."""
        self.organization.seats = seats
        self.put(at, "seats.purchased", seats=seats)

    def join(self, at: int, role: str = "member") -> Person:
        """Add a person with a profile, a seat and a group."""
        person = new_person(self.world, self.organization, at, role)
        self.organization.people.append(person)
        self.put(at, "member.joined", account_id=person.id, role=role)
        self.profile(at + SECOND, person)
        self.give_seat(at + 2 * SECOND, person)
        if self.organization.groups:
            self.enter(at + 3 * SECOND, person, self.dice.pick(self.organization.groups))
        return person

    def profile(self, at: int, person: Person) -> None:
        """Write the person's present name and e-mail."""
        self.put(at, "profile.updated", account_id=person.id, email=person.email, name=person.name)

    def enter(self, at: int, person: Person, group: str) -> None:
        """Add the person to the group."""
        person.groups.append(group)
        self.put(at, "group.joined", group_id=group, account_id=person.id)

    def exit(self, at: int, person: Person, group: str) -> None:
        """Remove the person from the group."""
        person.groups.remove(group)
        self.put(at, "group.left", group_id=group, account_id=person.id)

    def take_seat(self, at: int, person: Person) -> None:
        """Unassign the person's seat, which ends their activity."""
        person.seated = False
        person.stop(at)
        self.organization.seats_taken -= 1
        self.put(at, "seat.unassigned", account_id=person.id)

    def give_seat(self, at: int, person: Person) -> None:
        """Assign a seat to the person, buying more seats if none is free."""
        if self.organization.seats_taken >= self.organization.seats:
            self.buy_seats(at - SECOND, self.organization.seats + 5)
        person.seated = True
        person.spells.append((at, FOREVER))
        self.organization.seats_taken += 1
        self.put(at, "seat.assigned", account_id=person.id)

    def remove(self, at: int, person: Person) -> None:
        """Remove the person from the organization; the profile remains."""
        if person.seated:
            self.take_seat(at, person)
        for group in tuple(person.groups):
            self.exit(at + SECOND, person, group)
        person.left = at
        self.put(at + 2 * SECOND, "member.removed", account_id=person.id)

    def delete(self, at: int, person: Person) -> None:
        """Delete the person's account and forget the profile."""
        self.remove(at, person)
        self.put(at + 3 * SECOND, "account.deleted", account_id=person.id)
        self.world.outbox.tombstone(person.id, at + 4 * SECOND)

    def invite(self, at: int) -> str:
        """Send an invitation and return its id."""
        invite = self.dice.uuid()
        self.put(at, "invite.sent", invite_id=invite)
        return invite

    def close_invite(self, at: int, invite: str, outcome: str) -> None:
        """Close the invitation as accepted, expired or revoked."""
        self.put(at, "invite.closed", invite_id=invite, outcome=outcome)

    def save_group(self, at: int, group: str) -> None:
        """Save the group under a (new) name, perhaps with a cost center."""
        name = f"{self.dice.pick(GROUP_NAMES)} {self.dice.between(1, 30)}"
        self.put(at, "group.saved", group_id=group, name=name, cost_center=self.dice.pick(COST_CENTERS))

    def found_group(self, at: int) -> None:
        """Add a group."""
        self.organization.groups.append(self.dice.uuid())
        self.save_group(at, self.organization.groups[-1])

    def drop_group(self, at: int, group: str) -> None:
        """Delete the group, which removes everyone from it."""
        self.organization.groups.remove(group)
        for person in self.organization.people:
            if group in person.groups:
                person.groups.remove(group)
        self.put(at, "group.deleted", group_id=group)

    def open_project(self, at: int, creator: Person) -> Project:
        """Create a project: the creator's event (unless before the period, which has no activity), and its name."""
        name = self.dice.pick(ODD_NAMES) if self.dice.chance(0.06) else self.dice.pick(PROJECT_NAMES)
        project = Project(self.dice.uuid(), f"{name} {self.dice.between(1, 99)}", creator, at, FOREVER)
        self.organization.projects.append(project)
        if at >= self.world.start:
            creator.ends = min(creator.active_until(at), self.world.until)
            product = "claude_design" if self.dice.chance(0.15) else "chat"
            self.world.outbox.activity(creator, at, "project.created", product, "web", {"project_id": project.id})
        self.save_project(at + SECOND, project)
        return project

    def save_project(self, at: int, project: Project) -> None:
        """Write the project's present name, creator and creation."""
        fields = {"project_id": project.id, "name": project.name, "created_by": project.creator.id}
        self.put(at, "project.saved", **fields, created_at=utc_text(project.since))

    def close_project(self, at: int, project: Project) -> None:
        """Delete the project; its usage remains."""
        project.until = at
        self.put(at, "project.deleted", project_id=project.id)

    def add_machine(self, at: int, type_: str) -> Machine:
        """Add an API key, service account or federated identity."""
        machine = new_machine(self.world, self.organization, at, type_)
        self.organization.machines.append(machine)
        self.save_machine(at, machine)
        return machine

    def save_machine(self, at: int, machine: Machine) -> None:
        """Save the machine under its present name."""
        SAVES[machine.type](self, at, machine)

    def revoke(self, at: int, machine: Machine) -> None:
        """Revoke the API key, which ends its requests."""
        machine.stop(at)
        self.put(at, "api_key.revoked", api_key_id=machine.id)

    def _save_api_key(self, at: int, machine: Machine) -> None:
        fields = {"api_key_id": machine.id, "name": machine.name}
        self.put(at, "api_key.saved", **fields, workspace_id=machine.attribution.get("workspace_id"))

    def _save_service_account(self, at: int, machine: Machine) -> None:
        self.put(at, "service_account.saved", service_account_id=machine.id, name=machine.name)

    def _save_federated(self, at: int, machine: Machine) -> None:
        issuer = f"https://{self.organization.domain}/issuer" if machine.provider == "oidc" else None
        fields = {"federated_identity_id": machine.id, "provider": machine.provider, "subject": machine.name}
        self.put(at, "federated_identity.saved", **fields, issuer=issuer)


SAVES = {
    "api_key": DirectoryWriter._save_api_key,
    "service_account": DirectoryWriter._save_service_account,
    "federated": DirectoryWriter._save_federated,
}
