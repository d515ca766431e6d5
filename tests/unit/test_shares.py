"""Places for what goes on for long: nobody takes those of all."""

import pytest

from api.concurrency_limits import Shares
from api.errors import RateLimited, Unavailable
from api.principal import Viewer


def somebody(organization: str, account: str) -> Viewer:
    """A viewer; two of one name in two organizations are two."""
    return Viewer(organization, account, can_read_spend=False, account_id=account)


def taken(shares: Shares, *viewers: Viewer) -> None:
    """Each takes a place."""
    for viewer in viewers:
        shares.require(viewer)
        shares.acquire(viewer)


def test_a_viewer_leaves_places_to_the_organization_and_that_to_the_others() -> None:
    shares = Shares("live pages", most=5, of_an_organization=3, of_a_viewer=2)
    ada, bob, eve = somebody("a", "ada"), somebody("a", "bob"), somebody("b", "ada")
    taken(shares, ada, ada)
    with pytest.raises(RateLimited, match="2 live pages open, 2 of them yours"):
        shares.require(ada)
    taken(shares, bob)
    with pytest.raises(RateLimited, match="3 live pages open, 1 of them yours"):
        shares.require(bob)
    taken(shares, eve, eve)
    with pytest.raises(Unavailable, match="5 live pages are open"):
        shares.require(somebody("c", "kim"))


def test_some_places_are_kept_for_organizations_that_have_none() -> None:
    shares = Shares("downloads", most=5, of_an_organization=3, of_a_viewer=3, kept=2)
    ada, eve, kim = somebody("a", "ada"), somebody("b", "eve"), somebody("c", "kim")
    taken(shares, ada, ada, eve)
    for viewer in (ada, eve):
        with pytest.raises(Unavailable, match="3 downloads are open"):
            shares.require(viewer)
    taken(shares, kim)
    with pytest.raises(Unavailable, match="4 downloads are open"):
        shares.require(kim)
    taken(shares, somebody("d", "lee"))
    with pytest.raises(Unavailable, match="5 downloads are open"):
        shares.require(somebody("e", "mia"))


def test_a_place_that_is_given_back_can_be_taken() -> None:
    shares = Shares("downloads", most=1, of_an_organization=1, of_a_viewer=1)
    ada = somebody("a", "ada")
    taken(shares, ada)
    shares.give_back(ada)
    taken(shares, somebody("b", "kim"))
