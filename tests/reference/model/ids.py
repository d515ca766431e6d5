"""Ids as responses and reports show them: a prefix that names the kind, `01`, and the UUID as 22 digits of base 58
(docs/api.md, "Ids")."""

ORGANIZATION, USER, GROUP, PROJECT = "org_", "user_", "rbac_group_", "claude_proj_"
SERVICE_ACCOUNT, API_KEY, WORKSPACE = "svac_", "apikey_", "wrkspc_"
SESSION, AGENT, DEPLOYMENT, ENVIRONMENT, USER_PROFILE = "sesn_", "agent_", "depl_", "env_", "uprof_"
DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def tagged(prefix: str, uuid: str) -> str:
    """Return the outer form of an id."""
    number = int(uuid.replace("-", ""), 16)
    return f"{prefix}01" + "".join(DIGITS[number // 58**place % 58] for place in reversed(range(22)))
