"""The event types of the directory and of profiles, as FieldRules (see field_rules.py)."""

from verify.field_rules import (
    ENVELOPE,
    Check,
    FieldRules,
    is_bool,
    is_count,
    is_id,
    is_moment,
    is_optional_id,
    matching,
    name,
    one_of,
    optional,
    tag,
    text,
)

POLICIES = ("plan.changed", "extra_usage.changed", "discount.changed")
"""The events that price usage: in force from a whole hour that the event names, not from when it happened."""

_PLAN = one_of("team", "enterprise_usage_based", "enterprise_seat_based")
_ROLE = one_of("primary_owner", "owner", "admin", "member")
_SHARE_STATUS = one_of("organization", "private", "public")


def _entry(**fields: Check | tuple[Check, None] | tuple[Check, str]) -> FieldRules:
    return FieldRules({**ENVELOPE, **fields})


_ACCOUNT = _entry(account_id=is_id)
_MEMBERSHIP = _entry(group_id=is_id, account_id=is_id)

DIRECTORY_EVENTS: dict[str, FieldRules] = {
    "organization.created": _entry(name=name),
    "plan.changed": _entry(effective_from=is_moment, plan=_PLAN),
    "extra_usage.changed": _entry(effective_from=is_moment, enabled=is_bool),
    "discount.changed": _entry(effective_from=is_moment, discount=matching(r"0(\.[0-9]{1,6})?|1(\.0{1,6})?")),
    "seats.purchased": _entry(seats=is_count),
    "seat.assigned": _ACCOUNT,
    "seat.unassigned": _ACCOUNT,
    "member.joined": _entry(account_id=is_id, role=(_ROLE, "member")),
    "role.changed": _entry(account_id=is_id, role=_ROLE),
    "member.removed": _ACCOUNT,
    "account.deleted": _ACCOUNT,
    "group.saved": _entry(group_id=is_id, name=name, cost_center=(optional(tag), None)),
    "group.deleted": _entry(group_id=is_id),
    "group.joined": _MEMBERSHIP,
    "group.left": _MEMBERSHIP,
    "invite.sent": _entry(invite_id=is_id),
    "invite.closed": _entry(invite_id=is_id, outcome=one_of("accepted", "expired", "revoked")),
    "api_key.saved": _entry(api_key_id=is_id, name=name, workspace_id=(is_optional_id, None)),
    "api_key.revoked": _entry(api_key_id=is_id),
    "service_account.saved": _entry(service_account_id=is_id, name=name),
    "federated_identity.saved": _entry(
        federated_identity_id=is_id,
        provider=one_of("aws", "azure", "gcp", "oidc"),
        subject=name,
        issuer=(optional(name), None),
    ),
    "project.saved": _entry(project_id=is_id, name=name, created_by=is_id, created_at=is_moment),
    "project.deleted": _entry(project_id=is_id),
    "skill.saved": _entry(name=name, display_name=name, share_status=_SHARE_STATUS),
    "plugin.saved": _entry(name=name, plugin_id=is_id),
    "connector.saved": _entry(name=name, display_name=name),
}

PROFILE_EVENTS: dict[str, FieldRules] = {
    "profile.updated": _entry(
        account_id=is_id, email=matching(r"[^\s@\ufeff]+@[^\s@\ufeff]+", 3, 320), name=text(0, 512)
    ),
}

SUBJECTS: dict[str, str] = {
    **dict.fromkeys(("group.saved", "group.deleted", "group.joined", "group.left"), "group_id"),
    **dict.fromkeys(("seat.assigned", "seat.unassigned", "member.joined", "role.changed"), "account_id"),
    **dict.fromkeys(("member.removed", "account.deleted"), "account_id"),
    **dict.fromkeys(("invite.sent", "invite.closed"), "invite_id"),
    **dict.fromkeys(("api_key.saved", "api_key.revoked"), "api_key_id"),
    "service_account.saved": "service_account_id",
    "federated_identity.saved": "federated_identity_id",
    **dict.fromkeys(("project.saved", "project.deleted"), "project_id"),
    **dict.fromkeys(("skill.saved", "plugin.saved", "connector.saved"), "name"),
}
"""The field that becomes a directory row's subject; types that are not listed have none."""
