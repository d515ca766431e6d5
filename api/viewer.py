"""Who asks, and what they may see: all that a request's answer depends on, whoever they are."""

from dataclasses import dataclass

from litestar.connection import ASGIConnection

STATE_KEY = "tally_viewer"


@dataclass(frozen=True)
class Viewer:
    """Somebody who was let through: a key or a person. `name` says who, for the log: never a secret.

    `sees_spend` False: no field, order, total, export or message may tell of spend.
    """

    organization_id: str
    name: str
    sees_spend: bool


def viewer_of(connection: ASGIConnection) -> Viewer:  # type: ignore[type-arg]
    """The viewer that the route's guard let through."""
    viewer: Viewer = connection.scope["state"][STATE_KEY]
    return viewer
