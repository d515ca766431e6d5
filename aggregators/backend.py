"""The two backends that read records, add to cells and put keys into columns: pure Python, which is the reference, and
compiled."""

from importlib.util import find_spec

from aggregators.cell_rows import Joiner, join_in_python
from aggregators.increments import Adder, add_in_numpy
from aggregators.record_decoder import RecordDecoder
from tally_client.events import TOKEN

HAS_COMPILED = find_spec("aggregators.compiled.tokens") is not None
"""True if the compiled backend is installed; it is not if Tally was installed without a C compiler."""


def decoder_for(topic: str, compiled: bool) -> RecordDecoder:
    """Return the decoder of a topic's records. Only token events have a compiled one."""
    if compiled and topic == TOKEN:
        from aggregators.token_decoder import TokenReader

        return TokenReader()
    return RecordDecoder(topic)


def adder_of(compiled: bool) -> Adder:
    """Return the function that adds amounts to cells."""
    if compiled:
        from aggregators.compiled.sums import add

        return add
    return add_in_numpy


def joiner_of(compiled: bool) -> Joiner:
    """Return the function that puts the keys of cells into columns."""
    if compiled:
        from aggregators.compiled.joining import join

        return join
    return join_in_python
