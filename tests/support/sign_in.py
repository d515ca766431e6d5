"""Signing people in at a live API, as a browser does it."""

from datetime import timedelta

import httpx

from access.sessions import Identity, create_credential
from tests.support.api_server import HEADERS, NO_TLS, Served
from tests.support.people import Someone
from tests.support.simulated_world import NOW, World

FORM = {"sec-fetch-site": "same-origin"}
"""What a browser says of itself when our own page sends something."""


def link_for(world: World, holder: Identity, minutes: int = 10) -> str:
    """The secret of a new one-time link."""
    client = world.client()
    secret = create_credential(client, "link", holder, NOW, NOW + timedelta(minutes=minutes))
    client.close()
    return secret


def holder_of(one: Someone) -> Identity:
    return Identity(one.organization, one.account)


def use(served: Served, link: str, **headers: str) -> httpx.Response:
    """The button of a link's page."""
    return httpx.post(
        f"{served.base_url}/sign-in", data={"link": link}, headers={**FORM, **headers}, timeout=30, verify=NO_TLS
    )


def browser(world: World, served: Served, holder: Identity) -> httpx.Client:
    """A browser in which somebody is signed in: all that it has of them is the cookie."""
    response = use(served, link_for(world, holder))
    assert response.status_code == 303, response.text
    return httpx.Client(
        base_url=served.base_url, cookies=response.cookies, headers=FORM | HEADERS, timeout=30, verify=NO_TLS
    )
