"""The registry of one organization: each step changes who is in it and writes the directory events that say so."""

from typing import Any

from simulation.clock import HOUR, SECOND, utc_text
from simulation.entities import Machine, Organization, Person, Policy, Project
from simulation.new_members import new_machine, new_person
from simulation.outbox import FOREVER
from simulation.vocabulary import COST_CENTERS, GROUP_NAMES, ODD_NAMES, PROJECT_NAMES
from simulation.world import World


class DirectoryWriter:
    """Steps in an organization's life; `at` is in milliseconds, and steps of one cause lie a second apart."""

    def __init__(self, world: World, organization: Organization) -> None:
        self.world = world
        self.dice = world.dice
        self.organization = organization

    def put(self, at: int, type_: str, **fields: Any) -> None:
        """One directory or profile event."""
        self.world.outbox.directory(self.organization.id, at, type_, fields)

    def adopt_policy(self, announced: int, since: int, plan: str, extra_usage: bool) -> None:
        """A plan and whether extra usage is on, in force from `since` (a whole hour)."""
        before = self.organization.policies[-1] if self.organization.policies else None
        self.organization.policies.append(Policy(since, plan, extra_usage))
        if before is None or before.plan != plan:
            self.put(announced, "plan.changed", effective_from=utc_text(since), plan=plan)
        if before is None or before.extra_usage != extra_usage:
            self.put(announced + SECOND, "extra_usage.changed", effective_from=utc_text(since), enabled=extra_usage)

    def discount(self, announced: int, since: int, discount: str) -> None:
        """A discount in force from `since` (a whole hour), which may lie before or after it is announced."""
        self.put(announced, "discount.changed", effective_from=utc_text(since // HOUR * HOUR), discount=discount)

    def buy_seats(self, at: int, seats: int) -> None:
        """The organization holds this many seats from now on."""
        self.organization.seats = seats
        self.put(at, "seats.purchased", seats=seats)

    def join(self, at: int, role: str = "member") -> Person:
        """A new person, with a profile, a seat and a group."""
        person = new_person(self.world, self.organization, at, role)
        self.organization.people.append(person)
        self.put(at, "member.joined", account_id=person.id, role=role)
        self.profile(at + SECOND, person)
        self.give_seat(at + 2 * SECOND, person)
        if self.organization.groups:
            self.enter(at + 3 * SECOND, person, self.dice.pick(self.organization.groups))
        return person

    def profile(self, at: int, person: Person) -> None:
        """The person's present name and e-mail."""
        self.put(at, "profile.updated", account_id=person.id, email=person.email, name=person.name)

    def enter(self, at: int, person: Person, group: str) -> None:
        """The person is in the group from now on."""
        person.groups.append(group)
        self.put(at, "group.joined", group_id=group, account_id=person.id)

    def exit(self, at: int, person: Person, group: str) -> None:
        """The person is no longer in the group."""
        person.groups.remove(group)
        self.put(at, "group.left", group_id=group, account_id=person.id)

    def take_seat(self, at: int, person: Person) -> None:
        """The person holds no seat from now on, and so does nothing more."""
        person.seated = False
        person.stop(at)
        self.organization.seats_taken -= 1
        self.put(at, "seat.unassigned", account_id=person.id)

    def give_seat(self, at: int, person: Person) -> None:
        """The person holds a seat from now on; more are bought when none is free."""
        if self.organization.seats_taken >= self.organization.seats:
            self.buy_seats(at - SECOND, self.organization.seats + 5)
        person.seated = True
        person.spells.append((at, FOREVER))
        self.organization.seats_taken += 1
        self.put(at, "seat.assigned", account_id=person.id)

    def remove(self, at: int, person: Person) -> None:
        """The person is no member any more; the profile stays."""
        if person.seated:
            self.take_seat(at, person)
        for group in tuple(person.groups):
            self.exit(at + SECOND, person, group)
        person.left = at
        self.put(at + 2 * SECOND, "member.removed", account_id=person.id)

    def delete(self, at: int, person: Person) -> None:
        """The person's account is gone, and who they were is forgotten."""
        self.remove(at, person)
        self.put(at + 3 * SECOND, "account.deleted", account_id=person.id)
        self.world.outbox.tombstone(person.id, at + 4 * SECOND)

    def invite(self, at: int) -> str:
        """A pending invitation; answers its id."""
        invite = self.dice.uuid()
        self.put(at, "invite.sent", invite_id=invite)
        return invite

    def close_invite(self, at: int, invite: str, outcome: str) -> None:
        """The invitation was accepted, has expired or was revoked."""
        self.put(at, "invite.closed", invite_id=invite, outcome=outcome)

    def save_group(self, at: int, group: str) -> None:
        """The group exists under a (new) name, perhaps as a cost centre."""
        name = f"{self.dice.pick(GROUP_NAMES)} {self.dice.between(1, 30)}"
        self.put(at, "group.saved", group_id=group, name=name, cost_center=self.dice.pick(COST_CENTERS))

    def found_group(self, at: int) -> None:
        """A new group."""
        self.organization.groups.append(self.dice.uuid())
        self.save_group(at, self.organization.groups[-1])

    def drop_group(self, at: int, group: str) -> None:
        """The group is gone, and nobody is in it."""
        self.organization.groups.remove(group)
        for person in self.organization.people:
            if group in person.groups:
                person.groups.remove(group)
        self.put(at, "group.deleted", group_id=group)

    def open_project(self, at: int, creator: Person) -> Project:
        """A project: the creator's activity (none before the period, where there is no usage), and its name."""
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
        """The project's present name, its creator and its creation."""
        fields = {"project_id": project.id, "name": project.name, "created_by": project.creator.id}
        self.put(at, "project.saved", **fields, created_at=utc_text(project.since))

    def close_project(self, at: int, project: Project) -> None:
        """The project is gone; its usage stays."""
        project.until = at
        self.put(at, "project.deleted", project_id=project.id)

    def add_machine(self, at: int, type_: str) -> Machine:
        """A new API key, service account or federated identity."""
        machine = new_machine(self.world, self.organization, at, type_)
        self.organization.machines.append(machine)
        self.save_machine(at, machine)
        return machine

    def save_machine(self, at: int, machine: Machine) -> None:
        """The machine under its present name."""
        SAVES[machine.type](self, at, machine)

    def revoke(self, at: int, machine: Machine) -> None:
        """The API key is gone, and makes no more requests."""
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
