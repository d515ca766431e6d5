"""The directory's views, recomputed by independent rules: names, departures, groups, seats, and the terms in force."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from verify.compare import Key, Row
from verify.order import Change, history
from verify.spend import in_force

KEY = ("view", "organization_id", "subject", "since")
VALUES = ("answer",)
QUERY = """
SELECT 'organization_names', toString(organization_id), '', '', name FROM organization_names
UNION ALL SELECT 'group_names', toString(organization_id), toString(group_id), '', name FROM group_names
UNION ALL SELECT 'machine_names', toString(organization_id), toString(actor_id), '', name FROM machine_names
UNION ALL SELECT 'departures', toString(organization_id), toString(account_id), '', toString(how) FROM departures
UNION ALL
SELECT
    'group_memberships', toString(organization_id), concat(toString(group_id), ' ', toString(account_id)),
    toString(joined_at), ifNull(toString(left_at), '')
FROM group_memberships
UNION ALL
SELECT 'seats', toString(organization_id), account_id, '', toString(toBool(argMax(seated, place)))
FROM seat_changes GROUP BY organization_id, account_id
UNION ALL
SELECT
    'terms', toString(organization_id), '', toString(in_force_from),
    concat(toString(plan), ' ', toString(discount), ' ', toString(toBool(extra_usage)))
FROM terms
"""

_LAST_NAMES = {
    "organization.created": ("organization_names", "name"),
    "group.saved": ("group_names", "name"),
    "group.deleted": ("group_names", ""),
    "api_key.saved": ("machine_names", "name"),
    "service_account.saved": ("machine_names", "name"),
    "federated_identity.saved": ("machine_names", "subject"),
}
_SEATS = {"seat.assigned": "true", "seat.unassigned": "false", "member.removed": "false", "account.deleted": "false"}
_MEMBERS = ("member.joined", "member.removed", "account.deleted")
_GROUPS = ("group.joined", "group.left", "group.deleted", "member.removed", "account.deleted")


def expected_answers(directory: list[tuple[Key, Row]]) -> dict[Key, Row]:
    """Return each view's rows under their KEY."""
    answers: dict[Key, Row] = {}
    for change in history(directory, _LAST_NAMES):
        view, named_by = _LAST_NAMES[change.type]
        answers[view, change.organization_id, change.subject_id, ""] = (change.event[named_by] if named_by else "",)
    for change in history(directory, _SEATS):
        answers["seats", change.organization_id, change.subject_id, ""] = (_SEATS[change.type],)
    left = {(change.organization_id, change.subject_id): change.type for change in history(directory, _MEMBERS)}
    answers |= {("departures", *who, ""): (how,) for who, how in left.items() if how != "member.joined"}
    for organization, group, account, since, until in _spans(history(directory, _GROUPS)):
        answers["group_memberships", organization, f"{group} {account}", since] = (until,)
    return answers | _terms(directory)


def _spans(changes: Iterable[Change]) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield (organization, group, account, since, until) of each stay in a group; "" if it has not ended."""
    inside: dict[tuple[str, str, str], str] = {}
    for change in changes:
        organization, subject, at = change.organization_id, change.subject_id, change.place[0]
        if change.type == "group.joined":
            inside.setdefault((organization, subject, change.event["account_id"]), at)
            continue
        for stay in [stay for stay in inside if stay[0] == organization and _ends(change, stay)]:
            since = inside.pop(stay)
            if since < at:
                yield *stay, since, at
    for stay, since in inside.items():
        yield *stay, since, ""


def _ends(change: Change, stay: tuple[str, str, str]) -> bool:
    _, group, account = stay
    if change.type == "group.left":
        return (change.subject_id, change.event["account_id"]) == (group, account)
    return change.subject_id == (group if change.type == "group.deleted" else account)


def _terms(directory: Iterable[tuple[Key, Row]]) -> dict[Key, Row]:
    found = in_force(directory)
    hours = {(organization, hour) for (organization, _), terms in found.items() for hour in terms.changes}
    answers: dict[Key, Row] = {}
    for organization, hour in hours:
        plan, discount, is_on = (
            terms.at(hour) if (terms := found.get((organization, kind))) else None
            for kind in ("plan.changed", "discount.changed", "extra_usage.changed")
        )
        share = f"{Decimal(discount or 0).scaleb(-6).normalize():f}"
        answers["terms", organization, "", f"{hour}.000000"] = (f"{plan or ''} {share} {str(bool(is_on)).lower()}",)
    return answers
