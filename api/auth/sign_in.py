"""Sign-in and sign-out: a one-time link, or a token of an identity provider, becomes a session in a browser's cookie.

Opening a link's page does not use the link, since mail and chat programs open links too; pressing its button does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from clickhouse_connect.driver.client import Client
from litestar import Response, Router, get, post
from litestar.response import Redirect

from access.audit_log import DONE, SIGN_IN, SIGN_OUT, AuditEntry, write_entry
from access.jwt_verifier import Vouched
from access.sessions import Identity, end_session, unused_link
from api.auth.authenticate import of_holder, of_session
from api.auth.csrf import refuse_other_sites
from api.auth.failed_attempts import doubting
from api.auth.session_cookie import ended_cookie, session_cookie, session_of
from api.auth.sign_in_page import HEADERS, link_page, sign_in_form_page, signed_in_page
from api.client_address import address_of
from api.context import Context
from api.errors import ApiError, BadRequest, Forbidden, Unauthenticated
from api.exception_handlers import request_id_of
from api.principal import Operator, Viewer
from api.requests import AnyRequest, body_of

HOME = "/"
"""The page to redirect to after sign-in."""

LARGEST = 64 << 10
"""The largest body of a sign-in, in bytes; a token has a few thousand."""

NO_LINK = "The link is unknown, expired or already used. Run `tally login-link` to create a new one."


@get("/sign-in", include_in_schema=False)
async def sign_in_form(request: AnyRequest) -> Response[str]:
    """The sign-in page: a form for a token, or the identity behind a link or session. It changes nothing."""
    context: Context = request.app.state.context
    link = request.query_params.get("link", "")
    session = "" if link else session_of(request, context)
    if not link and not session:
        return sign_in_form_page()
    try:
        async with doubting(request, context, context.refusals):
            if link:
                return link_page(link, await context.run(lambda client: invited(client, context, link)))
            return signed_in_page(await context.run(lambda client: of_session(client, context, session)))
    except ApiError as error:
        return sign_in_form_page(
            error.message, 200 if isinstance(error, (Unauthenticated, Forbidden)) else error.status
        )


@post("/sign-in", include_in_schema=False, request_max_body_size=LARGEST)
async def sign_in(request: AnyRequest) -> Response[Any]:
    """Exchange a valid link or token for a session: a redirect for a form, JSON for JSON. A form's error is a page."""
    context: Context = request.app.state.context
    try:
        refuse_other_sites(request, context)
        sent = read_sent(await body_of(request), request.headers.get("content-type", ""))
        async with doubting(request, context, context.sign_ins) as is_doubted:
            who, secret, ends = await admit(request, sent, is_doubted)
    except ApiError as error:
        if is_form(request):
            return sign_in_form_page(error.message, error.status)
        raise
    cookie = session_cookie(context, secret, ends)
    if is_form(request):
        return Redirect(HOME, status_code=303, cookies=[cookie], headers=HEADERS)
    return Response(shown(who), status_code=200, cookies=[cookie])


@post("/sign-out", include_in_schema=False, request_max_body_size=LARGEST)
async def sign_out(request: AnyRequest) -> Response[Any]:
    """End the session immediately, in the database and in the browser."""
    context: Context = request.app.state.context
    refuse_other_sites(request, context)
    secret = session_of(request, context)
    attempt = Attempt(context, request_id_of(request), address_of(request))
    await context.run(lambda client: attempt.sign_out(client, secret))
    return Redirect("/sign-in", status_code=303, cookies=[ended_cookie(context)], headers=HEADERS)


def invited(client: Client, context: Context, link: str) -> Viewer | Operator:
    """Return the identity that a link would sign in. Raises Unauthenticated, MissingRole."""
    holder = unused_link(client, link, context.clock())
    if holder is None:
        raise Unauthenticated(NO_LINK)
    return of_holder(client, context, holder)


async def admit(
    request: AnyRequest, sent: Mapping[str, str], is_doubted: bool
) -> tuple[Viewer | Operator, str, datetime]:
    """Return the signed-in identity, the new session's secret and its end.

    Raises BadRequest, Unauthenticated, MissingRole.
    """
    context: Context = request.app.state.context
    if set(sent) not in ({"token"}, {"link"}):
        raise BadRequest("Send link (the secret of a one-time link) or token (a token of your identity provider).")
    attempt = Attempt(context, request_id_of(request), address_of(request), is_doubted)
    older = session_of(request, context)
    try:
        proof = sent["link"] if "link" in sent else await context.verify_token(sent["token"].strip())
    except Unauthenticated as error:
        reason = error.message
        await context.run(lambda client: attempt.refused(client, Identity(), reason))
        raise
    return await context.run(lambda client: attempt.sign_in(client, proof, older))


@dataclass(frozen=True)
class Attempt:
    """One attempt to sign in. `is_doubted`: too many attempts from its address have failed."""

    context: Context
    request_id: str
    address: str
    is_doubted: bool = False

    def sign_in(self, client: Client, proof: str | Vouched, older: str) -> tuple[Viewer | Operator, str, datetime]:
        """Create the session for a link or token. The attempt is in the audit log before the result is sent. The
        browser's previous session ends, since no one could sign it out later."""
        holder = Identity()
        try:
            ends = self.context.session_ends(None if isinstance(proof, str) else proof.proven)
            if ends <= self.context.clock():
                raise Unauthenticated("You signed in too long ago. Sign in again at your identity provider.")
            holder = self._holder(client, proof)
            who = of_holder(client, self.context, holder)
        except (Unauthenticated, Forbidden) as error:
            self.refused(client, holder, error.message)
            raise
        self.note(client, SIGN_IN, holder)
        secret = self.context.open_session(client, holder, ends)
        self.sign_out(client, older)
        return who, secret, ends

    def sign_out(self, client: Client, secret: str) -> None:
        """End the session with this secret, if there is one."""
        holder = end_session(client, secret, self.context.clock())
        if holder is not None:
            self.note(client, SIGN_OUT, holder)

    def refused(self, client: Client, holder: Identity, why: str) -> None:
        """Log the refusal. Refusals without a known identity are limited per minute, since anyone can cause them."""
        if holder.name or (not self.is_doubted and self.context.strangers_noted.count("")):
            self.note(client, SIGN_IN, holder, f"refused: {why}")

    def note(self, client: Client, action: str, holder: Identity, outcome: str = DONE) -> None:
        """Write an entry to the audit log."""
        moment, organization = self.context.clock(), holder.organization_id
        whence = (self.request_id, self.address)
        write_entry(client, AuditEntry(moment, holder.name, action, outcome, organization, "", "", None, "", *whence))

    def _holder(self, client: Client, proof: str | Vouched) -> Identity:
        if isinstance(proof, str):
            holder, said = self.context.redeem(client, proof), NO_LINK
        else:
            holder, said = self.context.exchange(client, proof), "The token has already been exchanged for a session."
        if holder is None:
            raise Unauthenticated(said)
        return holder


def shown(who: Viewer | Operator) -> dict[str, Any]:
    """Return the signed-in identity as JSON fields."""
    if isinstance(who, Operator):
        return {"operator": who.name}
    return {
        "organization_id": who.organization_id,
        "account_id": who.account_id,
        "role": who.role,
        "sees_spend": who.can_read_spend,
    }


def is_form(request: AnyRequest) -> bool:
    """Return True if a browser's form was sent, so that the response must be a page."""
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def read_sent(body: bytes, content_type: str) -> dict[str, str]:
    """Parse the fields of a form or a JSON object. Raises BadRequest."""
    try:
        if content_type.startswith("application/json"):
            return msgspec.json.decode(body, type=dict[str, str])
        return dict(parse_qsl(body.decode("ascii"), strict_parsing=bool(body), max_num_fields=8))
    except (ValueError, msgspec.DecodeError):
        raise BadRequest("The body is neither a form nor a JSON object of strings.") from None


signing = Router("/", route_handlers=[sign_in_form, sign_in, sign_out])
