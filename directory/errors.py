"""Errors of what an operator typed."""

from queries.errors import RefusedError


class InvalidText(RefusedError):
    """A name, address, role, plan, amount or time is not valid; the message quotes it."""


class ConflictingMembers(RefusedError):
    """Two accounts would be one person, or one account two people."""


class DuplicateName(RefusedError):
    """An organization or a group has the name already."""


class InvalidMembersFile(RefusedError):
    """A file of members is not valid. `problems` has a line for each fault, with file and line number."""

    def __init__(self, problems: list[str], hint: str) -> None:
        super().__init__("The file of members has faults", hint)
        self.problems = problems
