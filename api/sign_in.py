"""Signing in and out: a one-time link, or a token of an identity provider, becomes a session in a browser's cookie.

Looking at a link's page uses nothing up, since mail and chat programs look at links too; its button does.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from clickhouse_connect.driver.client import Client
from litestar import Request, Response, Router, get, post
from litestar.response import Redirect

from api.context import Context
from api.cookies import ended_cookie, session_cookie, session_of
from api.errors import ApiError, BadRequest, Forbidden, NoKey
from api.identity import of_holder, of_session
from api.origin import refuse_other_sites
from api.pages import HEADERS, ask_page, signed_in_page
from api.refusals import request_id_of
from api.viewer import Operator, Viewer
from reports.access.audit import DONE, SIGN_IN, SIGN_OUT, Entry, write_entry
from reports.access.passes import Holder, end_session

HOME = "/"
"""Where whoever signed in goes on."""

LARGEST = 64 << 10
"""Bytes of what is sent to sign in: a token has a few thousand."""

AnyRequest = Request[Any, Any, Any]


@get("/sign-in", include_in_schema=False)
async def ask(request: AnyRequest) -> Response[str]:
    """The page that asks, or says who is signed in. It changes nothing."""
    context: Context = request.app.state.context
    link = request.query_params.get("link", "")
    session = "" if link else session_of(request, context)
    if not session:
        return ask_page(link)
    try:
        return signed_in_page(await context.run(lambda client: of_session(client, context, session)))
    except (NoKey, Forbidden) as error:
        return ask_page("", error.message)


@post("/sign-in", include_in_schema=False, request_max_body_size=LARGEST)
async def sign_in(request: AnyRequest) -> Response[Any]:
    """A session for a good link or token: as a redirect for a form, as JSON for JSON. Raises what `ask` shows."""
    context: Context = request.app.state.context
    try:
        refuse_other_sites(request, context)
        context.sign_ins.take(request.client.host if request.client else "")
        sent = read_sent(await request.body(), request.headers.get("content-type", ""))
        older, request_id = session_of(request, context), request_id_of(request)
        who, secret = await context.run(lambda client: change_session(client, context, sent, older, request_id))
    except ApiError as error:
        if is_form(request):
            return ask_page("", error.message, error.status)
        raise
    cookie = session_cookie(context, secret)
    if is_form(request):
        return Redirect(HOME, status_code=303, cookies=[cookie], headers=HEADERS)
    return Response(shown(who), status_code=200, cookies=[cookie])


@post("/sign-out", include_in_schema=False, request_max_body_size=LARGEST)
async def sign_out(request: AnyRequest) -> Response[Any]:
    """Ends the session at once, here and in the browser."""
    context: Context = request.app.state.context
    refuse_other_sites(request, context)
    secret = session_of(request, context)
    await context.run(lambda client: let_out(client, context, secret, request_id_of(request)))
    return Redirect("/sign-in", status_code=303, cookies=[ended_cookie(context)], headers=HEADERS)


def change_session(
    client: Client, context: Context, sent: Mapping[str, str], older: str, request_id: str
) -> tuple[Viewer | Operator, str]:
    """The same as `let_in`; the session that the browser had ends, since nobody could sign it out any more."""
    who, secret = let_in(client, context, sent, request_id)
    let_out(client, context, older, request_id)
    return who, secret


def let_in(client: Client, context: Context, sent: Mapping[str, str], request_id: str) -> tuple[Viewer | Operator, str]:
    """Who is let in, and their new session's secret; the audit log has it, or why not, before anybody else.

    Raises BadRequest, NoKey, NoRole.
    """
    holder = Holder()
    try:
        holder = holder_of(client, context, sent)
        who = of_holder(client, context, holder)
    except (NoKey, Forbidden) as error:
        _note(client, context, SIGN_IN, holder, request_id, f"refused: {error.message}")
        raise
    _note(client, context, SIGN_IN, holder, request_id)
    return who, context.open_session(client, holder)


def let_out(client: Client, context: Context, secret: str, request_id: str) -> None:
    """End the session, if it is one."""
    holder = end_session(client, secret, context.clock())
    if holder is not None:
        _note(client, context, SIGN_OUT, holder, request_id)


def holder_of(client: Client, context: Context, sent: Mapping[str, str]) -> Holder:
    """Whom the sent link or token stands for. Raises BadRequest, NoKey."""
    if set(sent) == {"token"}:
        return context.vouched(client, sent["token"].strip())
    if set(sent) != {"link"}:
        raise BadRequest("Send link, the secret of a one-time link, or token, one of the organization's provider.")
    holder = context.redeem(client, sent["link"])
    if holder is None:
        raise NoKey("The link is not known, has expired or was used. `tally login-link` prints a new one.")
    return holder


def _note(client: Client, context: Context, action: str, holder: Holder, request_id: str, outcome: str = DONE) -> None:
    organization = holder.organization_id
    write_entry(client, Entry(context.clock(), holder.name, action, outcome, organization, request_id=request_id))


def shown(who: Viewer | Operator) -> dict[str, Any]:
    """Who signed in, for programs."""
    if isinstance(who, Operator):
        return {"operator": who.name}
    return {
        "organization_id": who.organization_id,
        "account_id": who.account_id,
        "role": who.role,
        "sees_spend": who.sees_spend,
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


signing = Router("/", route_handlers=[ask, sign_in, sign_out])
