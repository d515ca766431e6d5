"""Ids in requests and responses: `reports.tagged_ids` has the rule; here an invalid id raises BadRequest."""

from api.errors import invalid_parameter
from reports import tagged_ids
from reports.tagged_ids import GROUP, PROJECT, USER, tagged

__all__ = ["GROUP", "PROJECT", "USER", "tagged", "untagged"]

ORGANIZATION, SERVICE_ACCOUNT, API_KEY, WORKSPACE = "org_", "svac_", "apikey_", "wrkspc_"
SESSION, AGENT, DEPLOYMENT, ENVIRONMENT, USER_PROFILE = "sesn_", "agent_", "depl_", "env_", "uprof_"


def untagged(parameter: str, prefix: str, text: str) -> str:
    """Return the UUID in a tagged id or a bare UUID other than nil. Raises BadRequest that names the parameter."""
    try:
        return tagged_ids.untagged(prefix, text)
    except ValueError:
        raise invalid_parameter(
            parameter, text, f"an id like {prefix}01..., as in responses, or a UUID other than nil"
        ) from None
