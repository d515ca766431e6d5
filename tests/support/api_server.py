"""A live API for tests: uvicorn on 127.0.0.1, over a database of the embedded ClickHouse."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import httpx

from access.jwks import FETCH_SECONDS
from access.jwt_verifier import JwtVerifier
from access.keys import create_key, ensure_cursor_secret
from api.context import Context
from api.rate_limit import RateLimiter
from api.schemas.pipeline import Pipeline
from api.usage.endpoints import BETA
from deploy.api import server_of
from deploy.health_server import listen
from tests.support.simulated_world import NOW, World

PREFIX = "/v1/organizations/analytics"
HEADERS = {"anthropic-beta": BETA}
"""What the newer reports ask for; the others do not look at it."""

ENDLESS = 1_000_000
NO_TLS = False
"""`verify` of httpx: where nothing is encrypted, reading all certificate authorities for each request (22 ms of CPU)
shows nothing."""

PIPELINE = Pipeline(lag=0, data_refreshed_at=NOW, sources=[], dead_letters={}, dead_letters_counted_at=NOW)
"""What an operator is shown; tests/integration/test_operator_pipeline.py looks at a real one."""
LISTED = re.compile(r"(_ids|_tiers|_types|_geos|_windows|_categories|models|products|speeds)$")
"""What the reports' list parameters end with."""


@dataclass
class Served:
    """Where the API answers, and a key of each organization."""

    base_url: str
    context: Context
    keys: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, key: str = "", **parameters: Any) -> httpx.Response:
        """A plain HTTP request; lists become repeated parameters, and parameters that are lists get their brackets."""
        query: list[tuple[str, str]] = []
        for name, value in parameters.items():
            shown = f"{name}[]" if name in ("filter", "group_by") or LISTED.search(name) else name
            query += [(shown, str(each)) for each in (value if isinstance(value, list) else [value])]
        headers = HEADERS | ({"x-api-key": key} if key else {})
        return httpx.get(f"{self.base_url}{path}", params=tuple(query), headers=headers, timeout=30, verify=NO_TLS)


@contextmanager
def serve(context: Context, *handlers: Any) -> Iterator[Served]:
    """The API over `context`, in a thread, on a free port; with further routes, if a test has some."""
    with listen("127.0.0.1", 0) as listener:
        server = server_of(context)
        for handler in handlers:
            cast(Any, server.config.app).app.register(handler)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", context)
        server.should_exit = True
        thread.join()


def context_of(world: World, requests_a_minute: int = ENDLESS, now: datetime = NOW, **others: Any) -> Context:
    """A context over the world; its clock stands still at `now`; `others` take the place of what it is made of."""
    usual: dict[str, Any] = {
        "connect": world.client,
        "sources": lambda _: world.sources,
        "clock": lambda: now,
        "pipeline": lambda: PIPELINE,
        "grace": timedelta(minutes=120),
        "rates": RateLimiter(requests_a_minute),
        "sign_ins": RateLimiter(ENDLESS),
        "refusals": RateLimiter(ENDLESS),
        "strangers_noted": RateLimiter(ENDLESS),
        "person_rates": RateLimiter(ENDLESS),
        "tokens": JwtVerifier(timedelta(hours=1), FETCH_SECONDS, told_after_seconds=0),
    }
    return Context(**(usual | others))


def make_keys(world: World, now: datetime = NOW) -> dict[str, str]:
    """A key of each organization, by organization."""
    client = world.client()
    ensure_cursor_secret(client, now)
    keys = {
        organization: create_key(client, organization, "test", now, now + timedelta(days=1))[1]
        for organization in world.organizations
    }
    client.close()
    return keys
