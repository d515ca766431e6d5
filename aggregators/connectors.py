"""One key for one connector, skill or plugin, however its name is spelt; two of them never share one."""

import re
from unicodedata import normalize

PROTOCOL = "mcp"
KINDS = frozenset({"server", "connector", "integration"})
"""What a connector is called beside its name, after the protocol's: "MCP server". Alone they belong to the name: SQL
Server is not SQL."""

_SAYS_NOTHING = KINDS | {PROTOCOL}
_SEPARATORS = re.compile(r"[\s_\-./:()\[\]{}]+")


def connector_key(name: str) -> str:
    """The stable key of a connector's raw name: its words without case, "MCP", and what follows that of KINDS.

    "Atlassian MCP server", "mcp-atlassian" and "atlassian_MCP" are all "atlassian". A name without any other word says
    no more than that it is a connector: "mcp".
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
    """The stable key of a skill's or plugin's raw name: the name without case and without blanks around it.

    A name of blanks alone is one blank.
    """
    return _folded(name).strip() or " "


def _folded(name: str) -> str:
    """Equal for equal names whatever their case and however their accents are encoded (Unicode's canonical caseless
    matching, D145)."""
    return normalize("NFC", normalize("NFD", name).casefold())
