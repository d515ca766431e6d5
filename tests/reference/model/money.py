"""Money in whole units of 10^-24 USD: gross has 18 decimals and net has 24 (docs/metrics.md, "Spend")."""

from decimal import Decimal
from fractions import Fraction

USD = 10**24
"""Units of a dollar."""


def units(usd: int | Fraction) -> int:
    """Return an amount in units. Raises ValueError if it has more digits than they hold."""
    amount = Fraction(usd) * USD
    if amount.denominator != 1:
        raise ValueError(f"{usd} USD has more than 24 decimals")
    return amount.numerator


def usd_text(amount: int) -> str:
    """Return units as a plain decimal of USD without trailing zeros."""
    dollars, rest = divmod(amount, USD)
    return f"{dollars}.{rest:024d}".rstrip("0").rstrip(".")


def usd(amount: int) -> Decimal:
    """Return units as USD, with all their digits whatever the context's precision."""
    return Decimal(usd_text(amount))
