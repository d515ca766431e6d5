"""Who asks, and what they may see: all that a request's answer depends on, whoever they are."""

from dataclasses import dataclass

from litestar.connection import ASGIConnection

STATE_KEY = "tally_viewer"


@dataclass(frozen=True)
class Viewer:
    """Somebody who was let through: a key or a person. `name` says who, for the log: never a secret.

    `can_read_spend` False: no field, order, total, export or message may tell of spend. A key has neither `account_id`,
    `role` nor `email`. `can_read_detail`: usage by all that prices depend on, from which gross spend can be computed.
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
        """Whether they see spend, or their organization lets who sees none compute it (setting api_gross_spend_for)."""
        return self.can_read_spend or self.is_opened


@dataclass(frozen=True)
class Operator:
    """Somebody who runs the installation: sees the pipeline, no organization and no people."""

    name: str


def current_viewer(connection: ASGIConnection) -> Viewer:  # type: ignore[type-arg]
    """The viewer that the route's guard `require_viewer` let through."""
    viewer: Viewer = connection.scope["state"][STATE_KEY]
    return viewer


def operator_of(connection: ASGIConnection) -> Operator:  # type: ignore[type-arg]
    """The operator that the route's guard `require_operator` let through."""
    operator: Operator = connection.scope["state"][STATE_KEY]
    return operator
