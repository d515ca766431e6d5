"""Ids that follow from what they identify, so that all who know it agree on the id without a look-up.

An account that is known by its e-mail address alone has the id `account_of_email(organization_id, email)`: the UUIDv5
of the organization, the kind of name and the address in its normal form. This is the only place where that is defined.
"""

import unicodedata
from uuid import UUID, uuid5

import orjson

NAMESPACE = UUID("b5141ee3-0215-54f6-a83b-e09afdb04264")
"""Of all derived ids. Another value would give everything another id, and count it again."""


def derived_id(*parts: str) -> str:
    """Return the UUIDv5 of the parts in their order; no two sequences of parts have the same text."""
    return str(uuid5(NAMESPACE, orjson.dumps(parts).decode()))


def account_of_email(organization_id: str, email: str) -> str:
    """Return the account id of the person whom an organization knows by this e-mail address alone."""
    return derived_id("account", organization_id, "email", normal_email(email))


def normal_email(email: str) -> str:
    """Return an e-mail address in the form in which two spellings are one address: trimmed, in NFC and lower case."""
    return unicodedata.normalize("NFC", email.strip()).lower()
