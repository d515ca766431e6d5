"""The forms in which a source reads and adds, for tests that hold for both."""

from aggregators.backend import HAS_COMPILED

FORMS = (False, True) if HAS_COMPILED else (False,)
"""Pure and compiled, as `compiled` of a Source; pure alone where there is no C compiler."""


def form_name(compiled: bool) -> str:
    """What a test is called by."""
    return "compiled" if compiled else "pure"
