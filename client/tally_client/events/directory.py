"""Organizations, plans, seats, people, groups and names: topics `tally.directory` and `tally.profiles`.

The directory is history: kept indefinitely and keyed by organization, so that "seats as of the day" and "groups held on
the day" can be queried for any day. Personal data is only in profiles, which are compacted by account, so that a
tombstone (a null value under the account's key) forgets a person.
"""

from typing import Annotated, Literal

from tally_client.events.envelope import CONTROLS, PRINTABLE, Count, Event, Id, Moment, Name, Tag, text_of

Plan = Literal["team", "enterprise_usage_based", "enterprise_seat_based"]
Role = Literal["primary_owner", "owner", "admin", "member"]
ShareStatus = Literal["organization", "private", "public"]
Fraction = Annotated[str, text_of(r"(0(\.[0-9]{1,6})?|1(\.0{1,6})?)", 1, 8, "A decimal in [0, 1].")]
EMAIL_PART = rf"[^{CONTROLS}@\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\ufeff]+"
"""No whitespace of any kind and no @."""


class DirectoryEvent(Event, frozen=True, kw_only=True):
    """A change in an organization's directory, in effect from `occurred_at`."""


class PolicyEvent(DirectoryEvent, frozen=True, kw_only=True):
    """A change that prices usage, in effect from `effective_from`.

    That must be a whole UTC hour, because spend is kept by the hour and an hour has one price.
    """

    effective_from: Moment


class OrganizationCreated(DirectoryEvent, frozen=True, kw_only=True, tag="organization.created"):
    """An organization was created or renamed."""

    name: Name


class PlanChanged(PolicyEvent, frozen=True, kw_only=True, tag="plan.changed"):
    """The organization's plan changed."""

    plan: Plan


class ExtraUsageChanged(PolicyEvent, frozen=True, kw_only=True, tag="extra_usage.changed"):
    """On a seat-based plan: whether usage beyond the seats is allowed, and therefore billed and reported."""

    enabled: bool


class DiscountChanged(PolicyEvent, frozen=True, kw_only=True, tag="discount.changed"):
    """The fraction of list price that the organization does not pay: "0.15" is 15 % off."""

    discount: Fraction


class SeatsPurchased(DirectoryEvent, frozen=True, kw_only=True, tag="seats.purchased"):
    """The number of seats that the organization has from now on."""

    seats: Count


class SeatAssigned(DirectoryEvent, frozen=True, kw_only=True, tag="seat.assigned"):
    """A person was assigned a seat."""

    account_id: Id


class SeatUnassigned(DirectoryEvent, frozen=True, kw_only=True, tag="seat.unassigned"):
    """A person no longer has a seat."""

    account_id: Id


class MemberJoined(DirectoryEvent, frozen=True, kw_only=True, tag="member.joined"):
    """A person became a member, with this role."""

    account_id: Id
    role: Role = "member"


class RoleChanged(DirectoryEvent, frozen=True, kw_only=True, tag="role.changed"):
    """A member's role changed."""

    account_id: Id
    role: Role


class MemberRemoved(DirectoryEvent, frozen=True, kw_only=True, tag="member.removed"):
    """A person was removed from the organization; the account remains."""

    account_id: Id


class AccountDeleted(DirectoryEvent, frozen=True, kw_only=True, tag="account.deleted"):
    """A person's account was deleted; a tombstone in `tally.profiles` forgets their profile."""

    account_id: Id


class GroupSaved(DirectoryEvent, frozen=True, kw_only=True, tag="group.saved"):
    """A group was created or renamed; a cost centre is a group's exclusive tag."""

    group_id: Id
    name: Name
    cost_center: Tag | None = None


class GroupDeleted(DirectoryEvent, frozen=True, kw_only=True, tag="group.deleted"):
    """A group was deleted, and all its members left it."""

    group_id: Id


class GroupJoined(DirectoryEvent, frozen=True, kw_only=True, tag="group.joined"):
    """A person joined a group."""

    group_id: Id
    account_id: Id


class GroupLeft(DirectoryEvent, frozen=True, kw_only=True, tag="group.left"):
    """A person left a group."""

    group_id: Id
    account_id: Id


class InviteSent(DirectoryEvent, frozen=True, kw_only=True, tag="invite.sent"):
    """An invitation was sent and is pending."""

    invite_id: Id


class InviteClosed(DirectoryEvent, frozen=True, kw_only=True, tag="invite.closed"):
    """An invitation is no longer pending."""

    invite_id: Id
    outcome: Literal["accepted", "expired", "revoked"]


class ApiKeySaved(DirectoryEvent, frozen=True, kw_only=True, tag="api_key.saved"):
    """An API key of the workspace's products was created or renamed. Its secret is not kept."""

    api_key_id: Id
    name: Name
    workspace_id: Id | None = None


class ApiKeyRevoked(DirectoryEvent, frozen=True, kw_only=True, tag="api_key.revoked"):
    """An API key was revoked."""

    api_key_id: Id


class ServiceAccountSaved(DirectoryEvent, frozen=True, kw_only=True, tag="service_account.saved"):
    """A service account was created or renamed."""

    service_account_id: Id
    name: Name


class FederatedIdentitySaved(DirectoryEvent, frozen=True, kw_only=True, tag="federated_identity.saved"):
    """A caller authenticated by a cloud platform."""

    federated_identity_id: Id
    provider: Literal["aws", "azure", "gcp", "oidc"]
    subject: Name
    issuer: Name | None = None


class ProjectSaved(DirectoryEvent, frozen=True, kw_only=True, tag="project.saved"):
    """A project's name, creator and time of creation."""

    project_id: Id
    name: Name
    created_by: Id
    created_at: Moment


class ProjectDeleted(DirectoryEvent, frozen=True, kw_only=True, tag="project.deleted"):
    """A project was deleted; its usage remains."""

    project_id: Id


class SkillSaved(DirectoryEvent, frozen=True, kw_only=True, tag="skill.saved"):
    """A skill's display name and how it is shared, for all spellings of its name; the newest event applies."""

    name: Name
    display_name: Name
    share_status: ShareStatus


class PluginSaved(DirectoryEvent, frozen=True, kw_only=True, tag="plugin.saved"):
    """A plugin's id, for all spellings of its name; the newest event applies."""

    name: Name
    plugin_id: Id


class ConnectorSaved(DirectoryEvent, frozen=True, kw_only=True, tag="connector.saved"):
    """A connector's display name, for all spellings of its name; the newest event applies."""

    name: Name
    display_name: Name


class ProfileUpdated(Event, frozen=True, kw_only=True, tag="profile.updated"):
    """A person's current name and e-mail, which is all that is known about them."""

    account_id: Id
    email: Annotated[str, text_of(f"{EMAIL_PART}@{EMAIL_PART}", 3, 320)]
    name: Annotated[str, text_of(f"{PRINTABLE}*", 0, 512)]


DIRECTORY_EVENTS: tuple[type[DirectoryEvent], ...] = (
    OrganizationCreated,
    PlanChanged,
    ExtraUsageChanged,
    DiscountChanged,
    SeatsPurchased,
    SeatAssigned,
    SeatUnassigned,
    MemberJoined,
    RoleChanged,
    MemberRemoved,
    AccountDeleted,
    GroupSaved,
    GroupDeleted,
    GroupJoined,
    GroupLeft,
    InviteSent,
    InviteClosed,
    ApiKeySaved,
    ApiKeyRevoked,
    ServiceAccountSaved,
    FederatedIdentitySaved,
    ProjectSaved,
    ProjectDeleted,
    SkillSaved,
    PluginSaved,
    ConnectorSaved,
)
