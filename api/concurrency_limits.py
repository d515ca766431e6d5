"""Concurrency limits on downloads and live pages: in total, per organization and per viewer.

Some places are reserved for organizations that hold none, so that a few busy organizations cannot take them all.
"""

from collections import Counter
from dataclasses import dataclass, field

from api.errors import RateLimited, Unavailable
from api.principal import Viewer

AGAIN_SECONDS = 30


@dataclass
class Shares:
    """Places to share. `what`: their name in the plural, for messages; `kept`: how many of `most` are reserved for
    organizations that hold none. Only the event loop's thread may acquire and give back."""

    what: str
    most: int
    of_an_organization: int
    of_a_viewer: int
    kept: int = 0
    _viewers: Counter[tuple[str, str]] = field(default_factory=Counter)
    _organizations: Counter[str] = field(default_factory=Counter)

    def require(self, viewer: Viewer) -> None:
        """Raise RateLimited if the viewer's or organization's places are taken, Unavailable if all are."""
        own, organization = self._viewers[_key(viewer)], self._organizations[viewer.organization_id]
        if own >= self.of_a_viewer or organization >= self.of_an_organization:
            message = (
                f"The organization has {organization} {self.what} open, {own} of them yours. Wait until one has ended: "
                f"the limit is {self.of_a_viewer} per person or key and {self.of_an_organization} per organization."
            )
            raise RateLimited(message, AGAIN_SECONDS)
        taken = self._organizations.total()
        if taken >= self.most - (self.kept if organization else 0):
            raise Unavailable(f"{taken} {self.what} are open. Try again in {AGAIN_SECONDS} s.", AGAIN_SECONDS)

    def acquire(self, viewer: Viewer) -> None:
        """Take a place, after `require` has allowed it."""
        self._viewers[_key(viewer)] += 1
        self._organizations[viewer.organization_id] += 1

    def give_back(self, viewer: Viewer) -> None:
        """Give back a place."""
        self._viewers[_key(viewer)] -= 1
        self._organizations[viewer.organization_id] -= 1
        self._viewers, self._organizations = +self._viewers, +self._organizations


def _key(viewer: Viewer) -> tuple[str, str]:
    return viewer.organization_id, viewer.account_id or viewer.name
