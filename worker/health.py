"""Health of a process, as its health endpoint reports it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Health:
    """Health of a process: `problems` that an operator should know, and `shown`, further fields of the response."""

    problems: list[str]
    shown: dict[str, Any] = field(default_factory=dict)

    @property
    def healthy(self) -> bool:
        """True if there is no problem."""
        return not self.problems
