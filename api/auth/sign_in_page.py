"""The sign-in page: plain HTML without scripts, with headers that restrict what a browser may do with it."""

from html import escape

from litestar import Response

from api.principal import Operator, Viewer
from api.static_files import url_of

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "referrer-policy": "no-referrer",  # the address of a link's page contains its secret
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
}


def sign_in_form_page(said: str = "", status: int = 200) -> Response[str]:
    """Return the page with the form for a token. `said`: the error of the attempt before."""
    field = '<label>Token of your identity provider <textarea name="token" required></textarea></label>'
    told = f'<p role="alert">{escape(said)}</p>' if said else ""
    return _page(told + _form(field), status)


def link_page(link: str, who: Viewer | Operator) -> Response[str]:
    """Return the page that confirms signing in by a one-time link, with the identity: a stranger may have sent it."""
    field = f'<input type="hidden" name="link" value="{escape(link)}">'
    return _page(f"<p>You will be signed in as {escape(_name(who))}.</p>{_form(field)}", 200)


def signed_in_page(who: Viewer | Operator) -> Response[str]:
    """Return the page for a person who is signed in."""
    form = '<form method="post" action="/sign-out"><button>Sign out</button></form>'
    return _page(f"<p>You are signed in: {escape(_name(who))}.</p>{form}", 200)


def _form(field: str) -> str:
    return f'<form method="post" action="/sign-in">{field} <button>Sign in</button></form>'


def _name(who: Viewer | Operator) -> str:
    return f"operator {who.name}" if isinstance(who, Operator) else f"{who.email or who.account_id}, {_role(who)}"


def _role(viewer: Viewer) -> str:
    return viewer.role.replace("_", " ")


def _page(body: str, status: int) -> Response[str]:
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tally</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<link rel="stylesheet" href="{url_of("dashboard.css")}"></head>'
        f'<body><main class="alone"><img src="{url_of("mark.svg")}" alt="" width="40" height="40">'
        f"<h1>Tally</h1>{body}</main></body></html>"
    )
    return Response(html, status_code=status, headers=HEADERS, media_type="text/html")
