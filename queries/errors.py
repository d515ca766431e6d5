"""What a reader of reports can be told: one tree of errors, each a clear line and what to do next."""

from files.errors import FileError


class RefusedError(Exception):
    """A report or price list cannot be had. `str()` is the reason, `hint` a sentence on what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class PriceListError(RefusedError):
    """A price list is wrong; the message names file and line."""


class PriceListUnreadable(FileError, PriceListError):
    """The file of a price list cannot be read."""


class IssuedReportsRest(PriceListError):
    """A price list would change what issued reports say."""


class PeriodError(RefusedError):
    """The period cannot be asked for: unknown, turned around, too far back, or not complete yet."""


class NoCompleteDay(PeriodError):
    """A named period is right and too early: it has no complete day, or is to be whole and is not. `why` says which."""

    def __init__(self, name: str, why: str, hint: str) -> None:
        super().__init__(f"{name}: {why}", hint)
        self.why = why


class UnknownOrganization(RefusedError):
    """Nothing in the directory or in the usage bears this id."""


class NoSpendReport(RefusedError):
    """The organization's plan has no spend report in the period."""


class NotAsIssued(RefusedError):
    """A report's file is not the one that was issued."""
