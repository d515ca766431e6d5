"""The errors that a reader of reports can get: one tree, each with a clear message and a hint."""

from files.errors import FileError


class RefusedError(Exception):
    """A report or price list is not available. `str()` is the reason, `hint` a sentence on what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class PriceListError(RefusedError):
    """A price list is invalid; the message names file and line."""


class PriceListUnreadable(FileError, PriceListError):
    """A price list's file cannot be read."""


class IssuedReportsRest(PriceListError):
    """A price list would change amounts in issued reports."""


class PeriodError(RefusedError):
    """The period cannot be queried: unknown, reversed, too long ago, or not complete yet."""


class NoCompleteDay(PeriodError):
    """A named period is valid but too early: it has no complete day, or must be complete and is not.

    `why` is the one that applies.
    """

    def __init__(self, name: str, why: str, hint: str) -> None:
        super().__init__(f"{name}: {why}", hint)
        self.why = why


class UnknownOrganization(RefusedError):
    """The directory and the usage contain nothing with this id."""


class NoSpendReport(RefusedError):
    """The organization's plan has no spend report in the period."""


class NotAsIssued(RefusedError):
    """A report's file differs from the one that was issued."""
