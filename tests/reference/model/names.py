"""The keys by which names that are spelt in several ways are one (docs/metrics.md, "All metrics")."""

import re
import unicodedata


def connector_key(name: str) -> str:
    """Return a connector's key.

    "Atlassian MCP server" and "mcp-atlassian" are "atlassian"; "SQL Server" is "sql_server".
    """
    words = [word for word in re.split(r"[\s_\-./:()\[\]{}]+", name_key(name)) if word]
    kinds = {"server", "connector", "integration"}
    if set(words) <= kinds | {"mcp"}:
        return "mcp"
    while "mcp" in words:
        at = words.index("mcp")
        end = next((place for place in range(at + 1, len(words)) if words[place] not in kinds), len(words))
        words = words[:at] + words[end:]
    return "_".join(words)


def name_key(name: str) -> str:
    """Return the key of a skill or plugin: " PDF" and "pdf" are "pdf"."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold()).strip()
