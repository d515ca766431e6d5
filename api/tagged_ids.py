"""Ids at the API's edge: `reports.tagged_ids` has the rule, and here a wrong one becomes a refusal."""

from api.errors import invalid_parameter
from reports import tagged_ids
from reports.tagged_ids import GROUP, PROJECT, USER, tagged

__all__ = ["GROUP", "PROJECT", "USER", "tagged", "untagged"]

ORGANIZATION, SERVICE_ACCOUNT, API_KEY, WORKSPACE = "org_", "svac_", "apikey_", "wrkspc_"
SESSION, AGENT, DEPLOYMENT, ENVIRONMENT, USER_PROFILE = "sesn_", "agent_", "depl_", "env_", "uprof_"


def untagged(parameter: str, prefix: str, text: str) -> str:
    """The UUID of an outer id, or of a bare UUID other than nil. Raises BadRequest that names the parameter."""
    try:
        return tagged_ids.untagged(prefix, text)
    except ValueError:
        raise invalid_parameter(
            parameter, text, f"an id like {prefix}01..., as responses give it, or a UUID, but not nil"
        ) from None
