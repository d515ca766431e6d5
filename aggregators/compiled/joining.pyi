from collections.abc import Callable, Sequence
from typing import Any

def join(keys: Sequence[tuple[Any, ...]], at: int, encode: Callable[[Any], bytes]) -> bytes: ...
