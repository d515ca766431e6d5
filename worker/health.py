"""What a process says of its health."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Health:
    """Whether a process does its work, what a person should know when it does not, and what else is shown."""

    problems: list[str]
    shown: dict[str, Any] = field(default_factory=dict)

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems
