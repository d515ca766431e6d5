"""Signing in and out: a one-time link, or a token of an identity provider, becomes a session in a browser's cookie.

Looking at a link's page uses nothing up, since mail and chat programs look at links too; its button does.
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
"""Where whoever signed in goes on."""

LARGEST = 64 << 10
"""Bytes of what is sent to sign in: a token has a few thousand."""

NO_LINK = "The link is not known, has expired or was used. `tally login-link` prints a new one."


@get("/sign-in", include_in_schema=False)
async def sign_in_form(request: AnyRequest) -> Response[str]:
    """The page that asks, as whom a link signs in, or who is signed in. It changes nothing."""
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
    """A session for a good link or token: as a redirect for a form, as JSON for JSON. Raises what the form shows."""
    context: Context = request.app.state.context
    try:
        refuse_other_sites(request, context)
        sent = read_sent(await body_of(request), request.headers.get("content-type", ""))
        async with doubting(request, context, context.sign_ins) as is_doubted:
            who, secret, ends = await let_in(request, sent, is_doubted)
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
    """Ends the session at once, here and in the browser."""
    context: Context = request.app.state.context
    refuse_other_sites(request, context)
    secret = session_of(request, context)
    attempt = Attempt(context, request_id_of(request), address_of(request))
    await context.run(lambda client: attempt.let_out(client, secret))
    return Redirect("/sign-in", status_code=303, cookies=[ended_cookie(context)], headers=HEADERS)


def invited(client: Client, context: Context, link: str) -> Viewer | Operator:
    """Whom a link would let in. Raises Unauthenticated, MissingRole."""
    holder = unused_link(client, link, context.clock())
    if holder is None:
        raise Unauthenticated(NO_LINK)
    return of_holder(client, context, holder)


async def let_in(
    request: AnyRequest, sent: Mapping[str, str], is_doubted: bool
) -> tuple[Viewer | Operator, str, datetime]:
    """Who is let in, their new session's secret, and its end. Raises BadRequest, Unauthenticated, MissingRole."""
    context: Context = request.app.state.context
    if set(sent) not in ({"token"}, {"link"}):
        raise BadRequest("Send link, the secret of a one-time link, or token, one of the organization's provider.")
    attempt = Attempt(context, request_id_of(request), address_of(request), is_doubted)
    older = session_of(request, context)
    try:
        proof = sent["link"] if "link" in sent else await context.verify_token(sent["token"].strip())
    except Unauthenticated as error:
        reason = error.message
        await context.run(lambda client: attempt.refused(client, Identity(), reason))
        raise
    return await context.run(lambda client: attempt.let_in(client, proof, older))


@dataclass(frozen=True)
class Attempt:
    """One attempt to sign in; `is_doubted`: too many from its address failed before."""

    context: Context
    request_id: str
    address: str
    is_doubted: bool = False

    def let_in(self, client: Client, proof: str | Vouched, older: str) -> tuple[Viewer | Operator, str, datetime]:
        """The session for a link or token. The audit log has it, or why not, before anybody else; the session that the
        browser had ends, since nobody could sign it out any more."""
        holder = Identity()
        try:
            ends = self.context.session_ends(None if isinstance(proof, str) else proof.proven)
            if ends <= self.context.clock():
                raise Unauthenticated("You signed in there too long ago. Sign in again at your identity provider.")
            holder = self._holder(client, proof)
            who = of_holder(client, self.context, holder)
        except (Unauthenticated, Forbidden) as error:
            self.refused(client, holder, error.message)
            raise
        self.note(client, SIGN_IN, holder)
        secret = self.context.open_session(client, holder, ends)
        self.let_out(client, older)
        return who, secret, ends

    def let_out(self, client: Client, secret: str) -> None:
        """End the session, if it is one."""
        holder = end_session(client, secret, self.context.clock())
        if holder is not None:
            self.note(client, SIGN_OUT, holder)

    def refused(self, client: Client, holder: Identity, why: str) -> None:
        """The log takes so many refusals of nobody known in a minute, since anybody can cause them, and no more."""
        if holder.name or (not self.is_doubted and self.context.strangers_noted.count("")):
            self.note(client, SIGN_IN, holder, f"refused: {why}")

    def note(self, client: Client, action: str, holder: Identity, outcome: str = DONE) -> None:
        """Write into the audit log."""
        moment, organization = self.context.clock(), holder.organization_id
        whence = (self.request_id, self.address)
        write_entry(client, AuditEntry(moment, holder.name, action, outcome, organization, "", "", None, "", *whence))

    def _holder(self, client: Client, proof: str | Vouched) -> Identity:
        if isinstance(proof, str):
            holder, said = self.context.redeem(client, proof), NO_LINK
        else:
            holder, said = self.context.exchange(client, proof), "The token was exchanged for a session before."
        if holder is None:
            raise Unauthenticated(said)
        return holder


def shown(who: Viewer | Operator) -> dict[str, Any]:
    """Who signed in, for programs."""
    if isinstance(who, Operator):
        return {"operator": who.name}
    return {
        "organization_id": who.organization_id,
        "account_id": who.account_id,
        "role": who.role,
        "sees_spend": who.can_read_spend,
    }


def is_form(request: AnyRequest) -> bool:
    """Whether a browser's form was sent, so that a page must answer."""
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def read_sent(body: bytes, content_type: str) -> dict[str, str]:
    """The fields of a form or a JSON object. Raises BadRequest."""
    try:
        if content_type.startswith("application/json"):
            return msgspec.json.decode(body, type=dict[str, str])
        return dict(parse_qsl(body.decode("ascii"), strict_parsing=bool(body), max_num_fields=8))
    except (ValueError, msgspec.DecodeError):
        raise BadRequest("The body is neither a form nor a JSON object of texts.") from None


signing = Router("/", route_handlers=[sign_in_form, sign_in, sign_out])
