"""Authentication: the sender of a request, by the key or token in its headers or the session in its cookie."""

from clickhouse_connect.driver.client import Client
from litestar.connection import ASGIConnection

from access.jwt_verifier import is_token
from access.keys import READ_ANALYTICS
from access.roles import SEES_SPEND, read_person
from access.sessions import Identity
from api.auth.failed_attempts import doubting
from api.auth.session_cookie import session_of
from api.context import Context
from api.errors import MissingRole, MissingScope, Unauthenticated
from api.principal import Operator, Viewer
from api.thread_pool import OWNER


async def authenticate(connection: ASGIConnection, context: Context) -> Viewer | Operator:  # type: ignore[type-arg]
    """Return the sender of the request. Headers take precedence over the cookie. Sets OWNER to the sender.

    Raises Unauthenticated, MissingScope, MissingRole, RateLimited.
    """
    text = credential_of(connection.headers.get("authorization"), connection.headers.get("x-api-key"))
    session = "" if text else session_of(connection, context)
    if not text and not session:
        raise Unauthenticated(
            "No key. Send one as `authorization: Bearer KEY` or `x-api-key: KEY`, or sign in at /sign-in."
        )
    async with doubting(connection, context, context.refusals):
        who = await _looked_up(context, text, session)
    OWNER.set(f"operator {who.name}" if isinstance(who, Operator) else who.organization_id)
    return who


async def _looked_up(context: Context, text: str, session: str) -> Viewer | Operator:
    if is_token(text):
        vouched = await context.verify_token(text)
        return await context.run(lambda client: of_holder(client, context, vouched.holder))
    if text:
        return await context.run(lambda client: _viewer_of_key(client, context, text))
    return await context.run(lambda client: of_session(client, context, session))


def credential_of(authorization: str | None, x_api_key: str | None) -> str:
    """Return the credential in the headers, or "" if there is none. Raises Unauthenticated if two differ."""
    scheme, _, bearer = (authorization or "").partition(" ")
    bearer = bearer.strip() if scheme.lower() == "bearer" else ""
    if authorization is not None and not bearer:
        raise Unauthenticated("The header authorization must be `Bearer` and a key.")
    if bearer and x_api_key and bearer != x_api_key:
        raise Unauthenticated("The headers authorization and x-api-key contain different keys. Send only one of them.")
    return bearer or x_api_key or ""


def of_session(client: Client, context: Context, secret: str) -> Viewer | Operator:
    """Return the session's owner, with the role in the directory now. Raises Unauthenticated, MissingRole."""
    session = context.session(client, secret)
    if session is None:
        raise Unauthenticated("Your session has ended. Sign in again at /sign-in.")
    return of_holder(client, context, session.holder)


def of_holder(client: Client, context: Context, holder: Identity) -> Viewer | Operator:
    """Return an Operator, or a Viewer with the person's role in the directory now. Raises MissingRole."""
    if holder.operator:
        return Operator(holder.operator)
    person = read_person(client, holder.organization_id, holder.account_id, context.clock())
    if not person.can_read:
        raise MissingRole(_refusal(person.plan))
    return Viewer(
        person.organization_id,
        holder.name,
        person.can_read_spend,
        account_id=person.account_id,
        role=person.role,
        email=person.email,
        is_opened=person.organization_id in context.gross_spend_for,
    )


def _refusal(plan: str) -> str:
    roles = " and ".join(role.replace("_", " ") for role in SEES_SPEND.get(plan, {}))
    if not roles:
        return "The organization has no plan with analytics."
    return f"Only people with the role {roles} of the organization see its analytics. An owner can change a role."


def _viewer_of_key(client: Client, context: Context, text: str) -> Viewer:
    key = context.key(client, text)
    if key is None:
        raise Unauthenticated("The key is unknown, revoked or expired. `tally keys list` shows the status of keys.")
    if not key.can_read:
        raise MissingScope(f"The key {key.id} lacks the scope {READ_ANALYTICS}. Use one that was created with it.")
    opened = key.organization_id in context.gross_spend_for
    return Viewer(key.organization_id, f"key {key.id}", key.can_read_spend, is_opened=opened)
