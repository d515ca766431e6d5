"""Errors that explain why a token is rejected."""


class InvalidToken(Exception):
    """The token identifies no one; `str()` is the reason, worded for the sender of the token."""


class Unproven(InvalidToken):
    """A token that proves nothing, since no known key could have signed it. All such tokens get the same message."""

    def __init__(self) -> None:
        super().__init__(
            "No organization accepts this token: its issuer, audience, type (typ) and key (kid) must be those of an "
            "identity provider that `tally identity show` lists and whose keys the API could fetch. If they are, try "
            "again in half a minute; the API's log names the keys that it could not fetch."
        )
