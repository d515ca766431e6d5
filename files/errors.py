"""Errors of reading and writing files."""


class FileError(Exception):
    """A file cannot be read or written. `str()` is the reason, `hint` a sentence on what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
