"""Tagged ids: UUIDs internally, with a prefix that names their kind in requests and responses (`user_01...`).

One reversible rule: the prefix, `01`, and the UUID's 128 bits as 22 digits of base 58.
"""

from uuid import UUID

from tally_client.validity import bare

USER, GROUP, PROJECT = "user_", "rbac_group_", "claude_proj_"

_DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_LENGTH = 22
_VERSION = "01"


def tagged(prefix: str, uuid: str) -> str:
    """Return the tagged form of an id."""
    number, digits = UUID(uuid).int, ""
    for _ in range(_LENGTH):
        number, digit = divmod(number, 58)
        digits = _DIGITS[digit] + digits
    return f"{prefix}{_VERSION}{digits}"


def untagged(prefix: str, text: str) -> str:
    """Return the UUID in a tagged id, or in a bare UUID other than nil. Raises ValueError for anything else."""
    return bare(str(UUID(int=_number(text.removeprefix(prefix + _VERSION)))) if text.startswith(prefix) else text)


def _number(digits: str) -> int:
    if len(digits) != _LENGTH:
        raise ValueError(digits)
    number = 0
    for digit in digits:
        number = number * 58 + _DIGITS.index(digit)
    return number
