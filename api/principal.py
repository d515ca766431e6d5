"""Principals: the authenticated sender of a request and its permissions, on which the response depends."""

from dataclasses import dataclass

from litestar.connection import ASGIConnection

STATE_KEY = "tally_viewer"


@dataclass(frozen=True)
class Viewer:
    """An authenticated key or person. `name` identifies it in the log and is never a secret.

    If `can_read_spend` is False, no field, order, total, export or message may reveal spend. A key has no `account_id`,
    `role` or `email`. `can_read_detail`: usage by everything that prices depend on, from which gross spend follows.
    """

    organization_id: str
    name: str
    can_read_spend: bool
    account_id: str = ""
    role: str = ""
    email: str = ""
    is_opened: bool = False

    @property
    def can_read_detail(self) -> bool:
        """True if spend is visible, or the organization lets others compute it (setting api_gross_spend_for)."""
        return self.can_read_spend or self.is_opened


@dataclass(frozen=True)
class Operator:
    """A person who runs the installation: sees the pipeline, but no organization and no people."""

    name: str


def current_viewer(connection: ASGIConnection) -> Viewer:  # type: ignore[type-arg]
    """Return the viewer that the guard `require_viewer` accepted."""
    viewer: Viewer = connection.scope["state"][STATE_KEY]
    return viewer


def operator_of(connection: ASGIConnection) -> Operator:  # type: ignore[type-arg]
    """Return the operator that the guard `require_operator` accepted."""
    operator: Operator = connection.scope["state"][STATE_KEY]
    return operator
