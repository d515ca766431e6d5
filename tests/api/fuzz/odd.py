"""Requests that no document describes, byte by byte over a socket: what broke servers before, in every place where a
request has room for it. An answer is no 500, and nothing that was sent makes the log tell of an error of ours."""

import json
import logging
import socket
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from random import Random
from urllib.parse import quote, urlsplit

from litestar.routes import HTTPRoute

from access.sessions import Identity
from api.app import make_app
from api.engagement.endpoints import SUMMARY_PARAMETERS
from api.engagement.routes import LISTS
from api.usage.endpoints import BETA
from api.usage.endpoints import REPORTS as ALL
from tests.support.api_server import Served
from tests.support.people import somebody
from tests.support.sign_in import browser
from tests.support.simulated_world import World

SURROGATES = ["\\ud800", "\\udfff", "\\ud83d\\ud83d", "a\\udc00"]
"""As JSON spells them."""
TEXTS = [
    *(
        "",
        "x",
        "\x00",
        "a\x00b",
        "é🥭",
        "\ufeff",
        "\u202e",
        "%",
        "%00",
        "%ff",
        "%ED%A0%80",
        "%C0%AF",
        "%u0041",
        "+",
        "'",
    ),
    *('"', "\\", "{x:UInt8}", "/*", ";", "&", "=", "[]", "../..", "null", "true", "-1", "0", "1e999", "NaN", "٣", "१"),
    *("9" * 30, "-" + "9" * 30, "0x10", "1_000", "a" * 600, "0001-01-01", "9999-12-31", "2026-02-30", "10000-01-01"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-01T00:00:00Z", "2026-11-20", "2026-11-01"),
    *("2026-11-01T00:00:00.9999999999Z", "2026-11-01T24:00:00Z", "+2026-11-01", "1m", "1h", "1d", "custom", "mtd"),
]
NAMES = [
    *("date", "starting_date", "ending_date", "starting_at", "ending_at", "page", "limit", "order", "order_by", "x"),
    *(
        "filter[]",
        "group_by[]",
        "bucket_width",
        "time_bucket_width",
        "until",
        "top",
        "period",
        "start",
        "end",
        "format",
    ),
    *(
        "account",
        "connector",
        "days",
        "of",
        "first",
        "last",
        "link",
        "products[]",
        "user_ids[]",
        "actor_ids[]",
        "models[]",
    ),
]
METHODS = (
    ["GET"] * 8 + ["HEAD"] * 3 + ["POST"] * 3 + ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "get", "X"]
)
TYPES = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "",
    "é",
]


class Errors(logging.Handler):
    """What was logged as an error of ours."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(self.format(record))


def credentials_of(world: World, served: Served, key: str) -> list[bytes]:
    """Headers that let somebody in: a key, an owner, an operator."""
    holders = (Identity(ORGANIZATION, OWNER.account), Identity(operator="kim"))
    cookies = [browser(world, served, holder).cookies["tally_session_8080"] for holder in holders]
    return [f"x-api-key: {key}".encode(), *(f"cookie: tally_session_8080={cookie}".encode() for cookie in cookies)]


def odd_requests(served: Served, credentials: Sequence[bytes], cases: int, seed: int) -> list[str]:
    """What was wrong with the answers to so many requests; nothing, if all is well."""
    dice, errors, wrong = Random(seed), Errors(), list[str]()
    app = make_app(served.context).app
    paths = sorted(route.path for route in app.routes if isinstance(route, HTTPRoute))
    paths += ["/sign-in"] * 5 + 2 * [path for path in paths if path.startswith("/v1/")]
    for name in ("tally.api", "uvicorn.error"):
        logging.getLogger(name).addHandler(errors)
    try:
        for number in range(cases):
            sent = odd_request(dice, paths, credentials)
            status = answered(served.base_url, sent)
            if status == 500 or errors.told:
                wrong.append(f"seed {seed}, number {number}: {status}, {sent!r}: {errors.told}")
                errors.told.clear()
    finally:
        for name in ("tally.api", "uvicorn.error"):
            logging.getLogger(name).removeHandler(errors)
    return wrong


def odd_request(dice: Random, paths: Sequence[str], credentials: Sequence[bytes]) -> bytes:
    """One request, mostly plausible but for a place or two."""
    method = dice.choice(METHODS).encode()
    route = dice.choice(paths)
    path = dice.choice([_path(dice, route)] * 9 + ["/" + _quoted(dice, dice.choice(TEXTS)), "//", "/%ff/"])
    names = KNOWN.get(route) or (OF_PAGES if "{organization" in route else NAMES)
    count = dice.choice([0, 1, 1, 1, 2, 2, 3, 4, 60, 600])
    chosen = [dice.choice(names if dice.random() < 0.95 else NAMES) for _ in range(count)]
    if route.endswith(REPORTS) and dice.random() < 0.8:
        chosen.insert(0, "starting_at")
    parameters = "&".join(f"{_quoted(dice, name)}={_quoted(dice, _value(dice, name))}" for name in chosen)
    body = _body(dice) if method == b"POST" or dice.random() < 0.05 else b""
    promised = len(body) + (dice.randint(1, 99) if dice.random() < 0.2 else 0)
    headers = [
        b"host: 127.0.0.1",
        b"anthropic-beta: " + BETA.encode(),
        b"connection: close",
        *_credentials(dice, credentials),
    ]
    if body or promised:
        headers += [b"content-length: %d" % promised, b"content-type: " + dice.choice(TYPES).encode("latin-1")]
    if dice.random() < 0.2:
        odd = dice.choice(
            [b"accept-encoding", b"accept", b"origin", b"sec-fetch-site", b"x-forwarded-for", b"host", b"range"]
        )
        headers.append(
            odd + b": " + dice.choice([*map(_header, TEXTS), b"\xff\xfe", b"http://[", b"[::1", b"bytes=9-1"])
        )
    target = (path + ("?" + parameters if parameters else "")).encode("latin-1")
    return method + b" " + target + b" HTTP/1.1\r\n" + b"\r\n".join(headers) + b"\r\n\r\n" + body


def answered(base_url: str, sent: bytes) -> int:
    """The status that is answered, 0 for none: whoever sent half a request has left by then."""
    address = urlsplit(base_url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(sent)
        if _is_half(sent):
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while b"\r\n" not in answer and (piece := connection.recv(1 << 16)):
                answer += piece
        except ConnectionResetError:
            return 0
    return int(answer[9:12]) if answer[9:12].isdigit() else 0


def _is_half(sent: bytes) -> bool:
    head, _, body = sent.partition(b"\r\n\r\n")
    promised = next((line for line in head.split(b"\r\n") if line.startswith(b"content-length: ")), b": 0")
    return int(promised.partition(b": ")[2]) > len(body)


def _path(dice: Random, path: str) -> str:
    """A route's path with something in each of its places."""
    return "/".join(
        _quoted(dice, dice.choice(TEXTS) if dice.random() < 0.2 else ORGANIZATION)
        if "{organization" in part
        else _quoted(dice, dice.choice(FILES))
        if "{" in part
        else part
        for part in path.split("/")
    )


def _value(dice: Random, name: str) -> str:
    """What may stand there mostly, else anything."""
    fitting = FITTING.get(name) or (
        FITTING["day"] if "date" in name or name in ("start", "end", "first", "last") else []
    )
    return dice.choice(fitting) if fitting and dice.random() < 0.7 else dice.choice(TEXTS)


FITTING = {
    "day": ["2026-11-01", "2026-11-18", "2026-11-20", "9999-12-31", "0001-01-01", "2025-01-01", "2026-02-28"],
    "starting_at": ["2026-11-10T00:00:00Z", "2026-11-18T00:00:00Z", "2026-11-18", "0001-01-01T00:00:00Z"],
    "ending_at": ["2026-11-19T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-20T12:34:56.789Z"],
    "period": ["mtd", "last-month", "last-90-days", "custom"],
    "filter[]": ["product:chat", "rbac_group_id:\x00", "user_id:x", "skill_name:\x00", "connector_name:%ff", ":", "a:"],
    "group_by[]": ["product", "user_id", "rbac_group_id", "actor", "model", "token_type"],
    "until": ["2026-11-18", "2026-11-20", "9999-12-31", "0001-01-01"],
    "days": ["7d", "28d", "last-30-days"],
    "account": ["00000000-0000-0000-0000-00000000f101", "00000000-0000-0000-0000-000000000000", "F" * 36],
}
REPORTS = ("usage_report", "cost_report", "/usage", "/cost", "/claude_code")
OF_PAGES = [
    *("until", "top", "period", "start", "end", "format", "page", "days", "account", "connector", "of", "first", "last")
]
KNOWN = {f"/v1/organizations/analytics/{endpoint.name}": endpoint.parameters for endpoint in (*LISTS, *ALL)}
FILES = [
    *TEXTS,
    "tokens.csv",
    "active.html",
    "tokens,active.html",
    "2026-11-18",
    "1",
    "99999999",
    "dashboard.css",
    "..%2f..",
]
KNOWN["/v1/organizations/analytics/summaries"] = SUMMARY_PARAMETERS
OWNER = somebody("team", "owner")
ORGANIZATION = OWNER.organization


def _quoted(dice: Random, text: str) -> str:
    """As an address holds it; now and then as it is, which may be no UTF-8 and no percent-encoding."""
    return text.replace("%", "%").translate(UNSENDABLE) if text.startswith("%") and dice.random() < 0.8 else quote(text)


UNSENDABLE = {ord(each): None for each in " \r\n\t\x00#?"}


def _header(text: str) -> bytes:
    return text.encode().translate(None, b"\r\n\x00")


def _credentials(dice: Random, good: Sequence[bytes]) -> list[bytes]:
    """A good one mostly; else one in which something is odd."""
    if dice.random() < 0.6:
        return [dice.choice(good)]
    odd = _header(dice.choice(TEXTS))
    return [
        dice.choice(
            [
                b"authorization: Bearer " + _token(dice),
                b"authorization: Bearer " + (odd or b"x"),
                b"authorization: " + odd,
                b"x-api-key: " + odd,
                b"x-api-key: tally_" + b"0" * 12 + b"_" + b"a" * 43,
                b"cookie: tally_session_8080=" + odd,
                b"cookie: " + odd + b"; tally_session_8080=" + b"A" * 43,
                b"cookie: =; ;;=\xff",
            ]
        )
    ]


def _token(dice: Random) -> bytes:
    """A token whose header and claims hold odd values; its signature is none."""
    values = [
        *(f'"{text}"' for text in SURROGATES),
        *(json.dumps(text) for text in TEXTS),
        "1e400",
        "[[[]]]",
        "9" * 400,
    ]
    names = ["iss", "aud", "sub", "iat", "exp", "nbf", "kid", "alg", "typ", "crit", "b64", "account", "email", "jti"]
    parts = [
        "{" + ",".join(f'"{name}":{dice.choice(values)}' for name in dice.sample(names, dice.randint(0, 9))) + "}"
        for _ in "hc"
    ]
    if dice.random() < 0.7:
        parts[0] = '{"alg":"RS256","kid":"rsa","typ":"JWT"}'
    return b".".join(
        [*(urlsafe_b64encode(part.encode()).rstrip(b"=") for part in parts), dice.choice([b"", b"AAAA", b"\xe9"])]
    )


def _body(dice: Random) -> bytes:
    """What may be sent to sign in, and much that may not."""
    text = dice.choice(TEXTS)
    name = dice.choice(["link", "token", "x", ""])
    return dice.choice(
        [
            b"",
            b"\xff\xfe",
            json.dumps({name: text}).encode(),
            b'{"%s": "%s"}' % (name.encode(), dice.choice(SURROGATES).encode()),
            b'{"token": "' + _token(dice) + b'"}',
            b"[" * 5000,
            b'{"link": ' + b"9" * 4000 + b"}",
            f"{name}={quote(text)}".encode(),
            f"{name}={text}&{name}={text}".encode(),
            b"link=%ED%A0%80",
            b"a=1&" * 200,
            b"token=" + _token(dice),
            b"--x\r\ncontent-disposition: form-data; name=link\r\n\r\nx\r\n--x--",
            b"x" * 70_000,
        ]
    )
