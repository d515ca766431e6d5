"""`tally login-link` and `tally sign-out`, wired: settings in, the address of a one-time link out."""

from contextlib import closing
from datetime import timedelta

from clickhouse_connect.driver.client import Client

from access.audit_log import LINK, SIGN_OUT
from access.roles import largest_owner, members_by_email, read_person
from access.sessions import Identity, create_credential, revoke_credentials
from deploy.audit import record_action
from deploy.connections import report_client
from deploy.counts import counted
from deploy.errors import ExitCode, UserError
from deploy.settings import Settings
from deploy.uuids import parse_uuid
from queries.organizations import require_known
from tally_client.events.envelope import NIL

LINK_MINUTES = 10


def link_for_operator(settings: Settings, name: str) -> str:
    """Return the address that signs an operator of this name in, once."""
    with closing(report_client(settings)) as client:
        return _link(settings, client, Identity(operator=name))


def link_for_person(settings: Settings, organization: str, account: str, email: str) -> str:
    """Return the address that signs a person of the organization in, once: by account, or by e-mail if that is empty.

    Raises UserError if the person would see nothing, UnknownOrganization.
    """
    organization, account = parse_uuid(organization), parse_uuid(account, "account") if account else ""
    with closing(report_client(settings)) as client:
        require_known(client, organization)
        account = account or _account(client, organization, email)
        person = read_person(client, organization, account, settings.clock())
        if not person.can_read:
            standing = f"role {person.role or 'none'}, plan {person.plan or 'none'}"
            message = f"Account {account} ({standing}) cannot see the organization's analytics"
            raise UserError(message, "docs/access.md lists the roles that can.", ExitCode.REFUSED)
        return _link(settings, client, Identity(organization, account))


def links_to_show(settings: Settings) -> dict[str, str]:
    """Return example links: one for an owner of the largest organization, one for an operator."""
    with closing(report_client(settings)) as client:
        owner = largest_owner(client)
    links = {"an owner": link_for_person(settings, *owner, email="")} if owner else {}
    return links | {"an operator": link_for_operator(settings, "demo")}


def sign_out(settings: Settings, organization: str, account: str, operator: str) -> int:
    """End all links and sessions of an operator, of an organization, or of one account in it; return their number."""
    if operator:
        whose = Identity(operator=operator)
    else:
        whose = Identity(parse_uuid(organization), parse_uuid(account, "account") if account else NIL)
    now = settings.clock()
    with closing(report_client(settings)) as client:
        ended = revoke_credentials(client, whose, now)
        record_action(client, now, SIGN_OUT, whose.organization_id, {"of": whose.name or "everybody", "ended": ended})
    return ended


def _account(client: Client, organization: str, email: str) -> str:
    found = members_by_email(client, organization, email)
    found = found or members_by_email(client, organization, email, any_case=True)
    if len(found) != 1:
        message = f"{counted(len(found), 'member')} of organization {organization} with the e-mail {email}"
        raise UserError(message, "Use --account with the account's UUID.", ExitCode.REFUSED)
    return found[0]


def _link(settings: Settings, client: Client, holder: Identity) -> str:
    now = settings.clock()
    record_action(client, now, LINK, holder.organization_id, {"for": holder.name})
    secret = create_credential(client, "link", holder, now, now + timedelta(minutes=LINK_MINUTES))
    return f"{settings.base_url()}/sign-in?link={secret}"
