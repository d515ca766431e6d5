"""Keys of connectors, skills and plugins: one key for all spellings of a name, never shared by two names."""

import re
from unicodedata import normalize

PROTOCOL = "mcp"
KINDS = frozenset({"server", "connector", "integration"})
"""Words dropped after the protocol's name: "MCP server". Elsewhere they are part of the name: SQL Server is not SQL."""

_SAYS_NOTHING = KINDS | {PROTOCOL}
_SEPARATORS = re.compile(r"[\s_\-./:()\[\]{}]+")


def connector_key(name: str) -> str:
    """Return the stable key of a connector's raw name: its case-folded words without "MCP" and a word of KINDS after
    it.

    "Atlassian MCP server", "mcp-atlassian" and "atlassian_MCP" are all "atlassian". A name without any other word only
    identifies it as a connector: "mcp".
    """
    words = _SEPARATORS.sub(" ", _folded(name)).split()
    if _SAYS_NOTHING.issuperset(words):
        return PROTOCOL
    kept, after_protocol = [], False
    for word in words:
        after_protocol = word == PROTOCOL or (after_protocol and word in KINDS)
        if not after_protocol:
            kept.append(word)
    return "_".join(kept)


def name_key(name: str) -> str:
    """Return the stable key of a skill's or plugin's raw name: the case-folded name without surrounding whitespace.

    A name that is only whitespace becomes one space.
    """
    return _folded(name).strip() or " "


def _folded(name: str) -> str:
    """Return a form that is equal for equal names, whatever their case and however their accents are encoded (Unicode's
    canonical caseless matching, D145)."""
    return normalize("NFC", normalize("NFD", name).casefold())
