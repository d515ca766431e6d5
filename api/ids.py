"""Ids at the API's edge: `reports.ids` has the rule, and here a wrong one becomes a refusal."""

from api.errors import wrong
from reports import ids
from reports.ids import GROUP, PROJECT, USER, tagged

__all__ = ["GROUP", "PROJECT", "USER", "tagged", "untagged"]


def untagged(parameter: str, prefix: str, text: str) -> str:
    """The UUID of an outer id, or of a bare UUID. Raises BadRequest that names the parameter."""
    try:
        return ids.untagged(prefix, text)
    except ValueError:
        raise wrong(parameter, text, f"an id like {prefix}01..., as responses give it, or a UUID") from None
