"""Places for what goes on for long, downloads and live pages: so many in all, fewer for an organization or a viewer.

Some are kept for organizations that have none, so that several who take all that they may leave some to the others.
"""

from collections import Counter
from dataclasses import dataclass, field

from api.errors import RateLimited, Unavailable
from api.principal import Viewer

AGAIN_SECONDS = 30


@dataclass
class Shares:
    """`what` has the words for several of what is shared; `kept` of the most are for organizations that have none. Only
    the event loop's thread may take and give back."""

    what: str
    most: int
    of_an_organization: int
    of_a_viewer: int
    kept: int = 0
    _viewers: Counter[tuple[str, str]] = field(default_factory=Counter)
    _organizations: Counter[str] = field(default_factory=Counter)

    def require(self, viewer: Viewer) -> None:
        """Raises RateLimited when the viewer's or the organization's places are taken, Unavailable when all are."""
        own, organization = self._viewers[_key(viewer)], self._organizations[viewer.organization_id]
        if own >= self.of_a_viewer or organization >= self.of_an_organization:
            message = (
                f"{organization} {self.what} of the organization, {own} of them yours, are open. Wait until one has "
                f"ended: one person or key has {self.of_a_viewer} at a time, an organization {self.of_an_organization}."
            )
            raise RateLimited(message, AGAIN_SECONDS)
        taken = self._organizations.total()
        if taken >= self.most - (self.kept if organization else 0):
            raise Unavailable(f"{taken} {self.what} are open. Try again in {AGAIN_SECONDS} s.", AGAIN_SECONDS)

    def acquire(self, viewer: Viewer) -> None:
        """Take a place, once `require` has let it."""
        self._viewers[_key(viewer)] += 1
        self._organizations[viewer.organization_id] += 1

    def give_back(self, viewer: Viewer) -> None:
        """Give a place back that was taken."""
        self._viewers[_key(viewer)] -= 1
        self._organizations[viewer.organization_id] -= 1
        self._viewers, self._organizations = +self._viewers, +self._organizations


def _key(viewer: Viewer) -> tuple[str, str]:
    return viewer.organization_id, viewer.account_id or viewer.name
