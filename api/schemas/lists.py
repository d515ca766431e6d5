"""Rows of the lists of projects, connectors, skills, plugins and artifacts."""

from typing import Literal

from api.schemas.common import Metrics, User


class Cut(Metrics, frozen=True, kw_only=True):
    """The group of a row; each field is null unless `group_by[]` names it."""

    product: str | None = None
    user_id: str | None = None
    rbac_group_id: str | None = None
    rbac_group_name: str | None = None


class ProjectActivity(Cut, frozen=True, kw_only=True):
    """A chat project. Name and creation come from the directory: "" and null if it does not know the project."""

    project_id: str
    project_name: str
    distinct_user_count: int
    distinct_conversation_count: int
    message_count: int
    created_at: str | None
    created_by: User | None


class ConnectorConversations(Metrics, frozen=True, kw_only=True):
    """Chat conversations."""

    distinct_conversation_connector_used_count: int


class ConnectorSessions(Metrics, frozen=True, kw_only=True):
    """Sessions."""

    distinct_session_connector_used_count: int


class ConnectorOffice(Metrics, frozen=True, kw_only=True):
    """Sessions in Office, by application."""

    excel: ConnectorSessions
    powerpoint: ConnectorSessions
    word: ConnectorSessions
    outlook: ConnectorSessions


class ConnectorActivity(Cut, frozen=True, kw_only=True):
    """A connector. The three classes of calls are disjoint and add up to all calls."""

    connector_name: str
    connector_display_name: str | None
    distinct_user_count: int
    invocation_count: int
    read_call_count: int
    write_call_count: int
    unclassified_call_count: int
    individual_auth_distinct_user_count: int
    managed_auth_distinct_user_count: int
    chat_metrics: ConnectorConversations
    claude_code_metrics: ConnectorSessions
    cowork_metrics: ConnectorSessions
    office_metrics: ConnectorOffice
    chat_cowork_unified_metrics: None = None


class SkillConversations(Metrics, frozen=True, kw_only=True):
    """Chat conversations."""

    distinct_conversation_skill_used_count: int


class SkillSessions(Metrics, frozen=True, kw_only=True):
    """Sessions."""

    distinct_session_skill_used_count: int


class SkillOffice(Metrics, frozen=True, kw_only=True):
    """Sessions in Office, by application."""

    excel: SkillSessions
    powerpoint: SkillSessions
    word: SkillSessions
    outlook: SkillSessions


class SkillActivity(Cut, frozen=True, kw_only=True):
    """A skill, and the cost of usage that involved it: cents as decimal strings, null if a price is unknown or the
    viewer may not see spend."""

    skill_name: str
    skill_display_name: str | None
    share_status: Literal["organization", "private", "public"] | None
    distinct_user_count: int
    invocation_count: int
    enable_count: int
    chat_metrics: SkillConversations
    claude_code_metrics: SkillSessions
    cowork_metrics: SkillSessions
    office_metrics: SkillOffice
    chat_cowork_unified_metrics: None = None
    estimated_overage_spend: str | None
    attributed_list_price: str | None
    currency: Literal["USD"] | None


class PluginSessions(Metrics, frozen=True, kw_only=True):
    """Sessions."""

    distinct_session_plugin_used_count: int


class PluginActivity(Cut, frozen=True, kw_only=True):
    """A plugin. People who only installed it count among its people."""

    plugin_name: str
    plugin_id: str | None
    distinct_user_count: int
    install_count: int
    invocation_count: int
    claude_code_metrics: PluginSessions
    cowork_metrics: PluginSessions
    chat_cowork_unified_metrics: None = None


class ArtifactActivity(Cut, frozen=True, kw_only=True):
    """Artifacts of one type made on the day, separately for those that were ever shared."""

    artifact_type: str
    is_shared: bool
    artifacts_created_count: int
    published_artifacts_created_count: int
    distinct_user_count: int
