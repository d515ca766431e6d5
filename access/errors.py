"""Why a token is not taken for what it says."""


class InvalidToken(Exception):
    """The token vouches for nobody; `str()` says why, in words for whoever sent it."""


class Unproven(InvalidToken):
    """A token that proves nothing, since no key that could have signed it is known here: one message for all."""

    def __init__(self) -> None:
        super().__init__(
            "No organization accepts this token: its issuer, audience, kind (typ) and key (kid) must be those of an "
            "identity provider that `tally identity show` lists and whose keys the API could fetch. If they are, try "
            "again in half a minute; the API's log says what it could not fetch."
        )
