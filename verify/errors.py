"""Errors for which a log or its tables cannot be recounted."""


class VerifyError(Exception):
    """`str()` is the reason, `hint` a sentence on what to do next."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class BadRange(VerifyError):
    """The requested range is invalid."""


class ReadFailed(VerifyError):
    """Kafka or ClickHouse broke off a read."""
