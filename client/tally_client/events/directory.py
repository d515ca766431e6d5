"""Organizations, plans, seats, people, groups and names: topics `tally.directory` and `tally.profiles`.

The directory is history: kept for ever, keyed by organization, so that "seats as of the day" and "groups held on
the day" can be asked for any day. Profiles are the one place that holds personal data, compacted by account, so
that a tombstone (a null value under the account's key) forgets a person.
"""

from typing import Annotated, Literal

from tally_client.events.envelope import CONTROLS, PRINTABLE, Count, Event, Id, Moment, Name, Tag, text_of

Plan = Literal["team", "enterprise_usage_based", "enterprise_seat_based"]
Role = Literal["primary_owner", "owner", "admin", "member"]
ShareStatus = Literal["organization", "private", "public"]
Fraction = Annotated[str, text_of(r"(0(\.[0-9]{1,6})?|1(\.0{1,6})?)", 1, 8, "A decimal in [0, 1].")]
EMAIL_PART = rf"[^{CONTROLS}@\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\ufeff]+"
"""No blanks of any kind, and no @."""


class DirectoryEvent(Event, frozen=True, kw_only=True):
    """A change of an organization's directory, in force from `occurred_at` on."""


class PolicyEvent(DirectoryEvent, frozen=True, kw_only=True):
    """A change that prices usage: it is in force from `effective_from`, which must be a whole UTC hour, since
    spend is kept by the hour and an hour has one price."""

    effective_from: Moment


class OrganizationCreated(DirectoryEvent, frozen=True, kw_only=True, tag="organization.created"):
    """An organization exists, or has a new name."""

    name: Name


class PlanChanged(PolicyEvent, frozen=True, kw_only=True, tag="plan.changed"):
    """The plan in force."""

    plan: Plan


class ExtraUsageChanged(PolicyEvent, frozen=True, kw_only=True, tag="extra_usage.changed"):
    """On a seat-based plan: whether usage beyond the seats is allowed, and so billed and reported."""

    enabled: bool


class DiscountChanged(PolicyEvent, frozen=True, kw_only=True, tag="discount.changed"):
    """The part of list price that the organization does not pay: "0.15" is 15 % off."""

    discount: Fraction


class SeatsPurchased(DirectoryEvent, frozen=True, kw_only=True, tag="seats.purchased"):
    """The number of seats that the organization holds from now on."""

    seats: Count


class SeatAssigned(DirectoryEvent, frozen=True, kw_only=True, tag="seat.assigned"):
    """A person holds a seat from now on."""

    account_id: Id


class SeatUnassigned(DirectoryEvent, frozen=True, kw_only=True, tag="seat.unassigned"):
    """A person holds no seat from now on."""

    account_id: Id


class MemberJoined(DirectoryEvent, frozen=True, kw_only=True, tag="member.joined"):
    """A person is a member, with this role."""

    account_id: Id
    role: Role = "member"


class RoleChanged(DirectoryEvent, frozen=True, kw_only=True, tag="role.changed"):
    """A member has another role."""

    account_id: Id
    role: Role


class MemberRemoved(DirectoryEvent, frozen=True, kw_only=True, tag="member.removed"):
    """A person is no longer a member; the account remains."""

    account_id: Id


class AccountDeleted(DirectoryEvent, frozen=True, kw_only=True, tag="account.deleted"):
    """A person's account is gone; their profile is forgotten by a tombstone in `tally.profiles`."""

    account_id: Id


class GroupSaved(DirectoryEvent, frozen=True, kw_only=True, tag="group.saved"):
    """A group exists, or has a new name; a cost centre is a group's exclusive tag."""

    group_id: Id
    name: Name
    cost_center: Tag | None = None


class GroupDeleted(DirectoryEvent, frozen=True, kw_only=True, tag="group.deleted"):
    """A group is gone, and nobody is in it."""

    group_id: Id


class GroupJoined(DirectoryEvent, frozen=True, kw_only=True, tag="group.joined"):
    """A person is in a group."""

    group_id: Id
    account_id: Id


class GroupLeft(DirectoryEvent, frozen=True, kw_only=True, tag="group.left"):
    """A person is no longer in a group."""

    group_id: Id
    account_id: Id


class InviteSent(DirectoryEvent, frozen=True, kw_only=True, tag="invite.sent"):
    """An invitation is pending."""

    invite_id: Id


class InviteClosed(DirectoryEvent, frozen=True, kw_only=True, tag="invite.closed"):
    """An invitation is no longer pending."""

    invite_id: Id
    outcome: Literal["accepted", "expired", "revoked"]


class ApiKeySaved(DirectoryEvent, frozen=True, kw_only=True, tag="api_key.saved"):
    """An API key of the workspace's products exists or has a new name. Nothing is kept of its secret."""

    api_key_id: Id
    name: Name
    workspace_id: Id | None = None


class ApiKeyRevoked(DirectoryEvent, frozen=True, kw_only=True, tag="api_key.revoked"):
    """An API key is gone."""

    api_key_id: Id


class ServiceAccountSaved(DirectoryEvent, frozen=True, kw_only=True, tag="service_account.saved"):
    """A service account exists or has a new name."""

    service_account_id: Id
    name: Name


class FederatedIdentitySaved(DirectoryEvent, frozen=True, kw_only=True, tag="federated_identity.saved"):
    """A caller that a cloud platform vouches for."""

    federated_identity_id: Id
    provider: Literal["aws", "azure", "gcp", "oidc"]
    subject: Name
    issuer: Name | None = None


class ProjectSaved(DirectoryEvent, frozen=True, kw_only=True, tag="project.saved"):
    """A project's name, creator and creation."""

    project_id: Id
    name: Name
    created_by: Id
    created_at: Moment


class ProjectDeleted(DirectoryEvent, frozen=True, kw_only=True, tag="project.deleted"):
    """A project is gone; its usage stays."""

    project_id: Id


class SkillSaved(DirectoryEvent, frozen=True, kw_only=True, tag="skill.saved"):
    """A skill's display name and with whom it is shared, for all spellings of its name; the newest holds."""

    name: Name
    display_name: Name
    share_status: ShareStatus


class PluginSaved(DirectoryEvent, frozen=True, kw_only=True, tag="plugin.saved"):
    """A plugin's id behind its name, for all spellings of that; the newest holds."""

    name: Name
    plugin_id: Id


class ConnectorSaved(DirectoryEvent, frozen=True, kw_only=True, tag="connector.saved"):
    """A connector's display name, for all spellings of its name; the newest holds."""

    name: Name
    display_name: Name


class ProfileUpdated(Event, frozen=True, kw_only=True, tag="profile.updated"):
    """A person's present name and e-mail, the whole of what is known of them."""

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
