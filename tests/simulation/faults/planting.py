"""Faults to plant: each takes one rule of exactness away, and the simulation must notice.

A fault is a function that gets `plant(owner, name, replacement)`; `planted` takes everything back afterwards.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Plant = Callable[[Any, str, Any], None]
FAULTS: dict[str, Callable[[Plant], None]] = {}


def fault(make: Callable[[Plant], None]) -> Callable[[Plant], None]:
    """Enter it in FAULTS under its own name."""
    FAULTS[make.__name__] = make
    return make


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The fault of that name, for as long as the context lasts."""
    before: list[tuple[Any, str, Any]] = []

    def plant(owner: Any, attribute: str, replacement: Any) -> None:
        before.append((owner, attribute, owner.__dict__[attribute]))
        setattr(owner, attribute, replacement)

    FAULTS[name](plant)
    try:
        yield
    finally:
        for owner, attribute, original in before:
            setattr(owner, attribute, original)
