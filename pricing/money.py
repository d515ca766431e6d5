"""Amounts of money: exact decimals, and their text."""

from decimal import Context, Decimal

EXACT = Context(prec=120)


def money_text(amount: Decimal | None) -> str | None:
    """Return the amount as a plain decimal, without an exponent or trailing zeros."""
    if amount is None:
        return None
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
