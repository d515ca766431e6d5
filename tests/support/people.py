"""People to sign in: an organization of each plan with a person of each role, by name."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.support.simulated_world import Events

PLANS = ("team", "enterprise_usage_based", "enterprise_seat_based", "")
"""An organization of each; the last one never had a plan."""

ROLES = ("primary_owner", "owner", "admin", "member", "")
"""A person of each; the last one was the primary owner and has been removed."""

SEES = {
    ("team", "primary_owner"): "all",
    ("team", "owner"): "all",
    ("enterprise_usage_based", "primary_owner"): "all",
    ("enterprise_usage_based", "owner"): "all",
    ("enterprise_usage_based", "admin"): "all but spend",
    ("enterprise_seat_based", "primary_owner"): "all",
    ("enterprise_seat_based", "owner"): "all",
    ("enterprise_seat_based", "admin"): "all but spend",
}
"""What the article says; who is not in it sees nothing."""


@dataclass(frozen=True)
class Someone:
    """A person of the world's extra organizations."""

    organization: str
    account: str
    plan: str
    role: str

    @property
    def email(self) -> str:
        return f"{self.account[-4:]}@people.example"

    @property
    def sees(self) -> str:
        return SEES.get((self.plan, self.role), "")


def organization_of(plan: str) -> str:
    return str(UUID(int=0xF000 + PLANS.index(plan)))


EVERYBODY = [
    Someone(organization_of(plan), str(UUID(int=0xF100 + 16 * PLANS.index(plan) + ROLES.index(role))), plan, role)
    for plan in PLANS
    for role in ROLES
]


def somebody(plan: str, role: str) -> Someone:
    return next(one for one in EVERYBODY if (one.plan, one.role) == (plan, role))


def people_events() -> Events:
    """The directory's events of all of them."""
    made: Events = []
    for plan in PLANS:
        organization = organization_of(plan)
        made.append(event(organization, "organization.created", "08:00", name=f"Org {plan}"))
        if plan:
            made.append(event(organization, "plan.changed", "08:00", effective_from=moment("08:00"), plan=plan))
    for one in EVERYBODY:
        made.append(event(one.organization, "member.joined", "09:00", account_id=one.account, role="member"))
        made.append(
            event(one.organization, "profile.updated", "09:00", account_id=one.account, email=one.email, name="N")
        )
        made.append(event(one.organization, "seat.assigned", "09:00", account_id=one.account))
        role = one.role or "primary_owner"
        made.append(event(one.organization, "role.changed", "10:00", account_id=one.account, role=role))
        if not one.role:
            made.append(event(one.organization, "member.removed", "11:00", account_id=one.account))
            made.append(event(one.organization, "role.changed", "12:00", account_id=one.account, role="owner"))
    return [made_up | {"event_id": str(UUID(int=0xD000 + number))} for number, made_up in enumerate(made)]


def event(organization: str, kind: str, at: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "occurred_at": moment(at), "organization_id": organization, **fields}


def moment(at: str) -> str:
    return f"2026-10-01T{at}:00Z"
