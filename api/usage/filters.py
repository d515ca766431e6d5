"""The filters of the reports: each list parameter with its reader and its description."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import get_args

from api.errors import invalid_parameter, one_of
from api.parameters import QueryParams, Reader, a_name, an_id
from api.tagged_ids import (
    AGENT,
    API_KEY,
    DEPLOYMENT,
    ENVIRONMENT,
    GROUP,
    ORGANIZATION,
    SERVICE_ACCOUNT,
    SESSION,
    USER,
    USER_PROFILE,
    WORKSPACE,
    untagged,
)
from tally_client.events.envelope import NIL, Product
from tally_client.events.usage import ClaudeTagCategory, ContextWindow, InferenceGeo, ServiceTier, Speed

Into = Callable[[str, str], tuple[str, str]]
"""(parameter, text) to the query's filter and its value. Raises BadRequest."""

ACTOR_TYPES = {
    "user_actor": "user",
    "service_account_actor": "service_account",
    "api_actor": "api_key",
    "federated_actor": "federated",
}
"""Kinds of identity: the API's name to the events' name."""

ACTORS = {USER: "users", SERVICE_ACCOUNT: "service_accounts", API_KEY: "api_keys"}
UNIFIED = "chat_cowork_unified"
"""A product of the original API that no event names."""


@dataclass(frozen=True)
class Filter:
    """A list parameter; `choices` are all its values if there are few."""

    says: str
    read: Into
    choices: tuple[str, ...] = ()


def an_actor(parameter: str, text: str) -> tuple[str, str]:
    """Read the tagged id of an identity."""
    for prefix, into in ACTORS.items():
        if text.startswith(prefix):
            return into, untagged(parameter, prefix, text)
    raise invalid_parameter(parameter, text, "an id that begins with " + one_of(ACTORS))


def a_key_or_none(parameter: str, text: str) -> tuple[str, str]:
    """Read the id of an API key; an empty value means usage that no key authenticated."""
    return "api_key_ids", untagged(parameter, API_KEY, text) if text else NIL


def _into(name: str, reader: Reader) -> Into:
    return lambda parameter, text: (name, reader(parameter, text))


def _named(name: str, values: Mapping[str, str], says: str) -> Filter:
    def read(parameter: str, text: str) -> tuple[str, str]:
        if text not in values:
            raise invalid_parameter(parameter, text, one_of(values))
        return name, values[text]

    return Filter(says, read, tuple(values))


def _same(*values: str) -> dict[str, str]:
    return {value: value for value in values}


def _ids(name: str, prefix: str, says: str) -> Filter:
    return Filter(f"{says}: {prefix}01... or a UUID.", _into(name, an_id(prefix)))


def _texts(name: str, says: str) -> Filter:
    return Filter(says, _into(name, a_name))


PRODUCTS = _same(*get_args(Product), UNIFIED) | {"claude-tag": "claude_tag"}

SHARED = {
    "claude_tag_categories[]": _named(
        "claude_tag_categories", _same(*get_args(ClaudeTagCategory)), "Occasions in Slack."
    ),
    "claude_tag_user_ids[]": _texts("claude_tag_user_ids", "Slack user ids, such as U0123ABCDEF."),
    "context_windows[]": _named("context_windows", _same(*get_args(ContextWindow)), "Context windows as priced."),
    "inference_geos[]": _named(
        "inference_geos",
        _same(*get_args(InferenceGeo)) | {"not_available": ""},
        "Where inference ran, if known.",
    ),
    "models[]": _texts("models", "Models; an id without a date matches every date of the model."),
    "products[]": _named("products", PRODUCTS, "Products."),
    "rbac_group_ids[]": _ids("groups", GROUP, "Groups that the person was in on the day of the usage"),
    "slack_channel_ids[]": _texts("slack_channel_ids", "Slack channel ids."),
    "speeds[]": _named("speeds", _same(*get_args(Speed)), "Inference speeds."),
}
PEOPLES = SHARED | {"user_ids[]": _ids("users", USER, "People")}
EVERYBODYS = SHARED | {
    "actor_ids[]": Filter("Identities that usage is attributed to: user_..., svac_... or apikey_...", an_actor),
    "actor_types[]": _named("actor_types", ACTOR_TYPES, "Kinds of identity."),
    "agent_ids[]": _ids("agent_ids", AGENT, "Agents"),
    "api_key_ids[]": Filter("API keys that authenticated requests; an empty value means no key.", a_key_or_none),
    "deployment_ids[]": _ids("deployment_ids", DEPLOYMENT, "Deployments"),
    "environment_ids[]": _ids("environment_ids", ENVIRONMENT, "Environments"),
    "organization_ids[]": _ids("organizations", ORGANIZATION, "Organizations; a key can read one"),
    "service_tiers[]": _named("service_tiers", _same(*get_args(ServiceTier)), "Service tiers."),
    "session_ids[]": _ids("session_ids", SESSION, "Sessions"),
    "user_profile_ids[]": _ids("user_profile_ids", USER_PROFILE, "User profiles"),
    "workspace_ids[]": _ids("workspace_ids", WORKSPACE, "Workspaces"),
}


def read_filters(given: QueryParams, filters: Mapping[str, Filter]) -> dict[str, list[str]]:
    """Return the query's filters: OR within each, AND across."""
    found: dict[str, list[str]] = {}
    for parameter in filters:
        for text in given.get(parameter, ()):
            name, value = filters[parameter].read(parameter, text)
            found.setdefault(name, []).append(value)
    return found
