"""Activity of one person or group."""

from datetime import date

from api.schemas.common import Metrics, User


class ChatMetrics(Metrics, frozen=True, kw_only=True):
    """Chat. Views of shared artifacts are not known by viewer, so they are null."""

    distinct_conversation_count: int
    message_count: int
    thinking_message_count: int
    distinct_projects_created_count: int
    distinct_projects_used_count: int
    distinct_files_uploaded_count: int
    distinct_artifacts_created_count: int
    distinct_shared_artifacts_viewed_count: int | None = None
    distinct_skills_used_count: int
    connectors_used_count: int
    distinct_connectors_used_count: int
    shared_conversations_viewed_count: int


class LinesOfCode(Metrics, frozen=True, kw_only=True):
    """Lines that people accepted."""

    added_count: int
    removed_count: int


class CoreMetrics(Metrics, frozen=True, kw_only=True):
    """Claude Code's sessions and their results."""

    distinct_session_count: int
    commit_count: int
    pull_request_count: int
    lines_of_code: LinesOfCode
    artifacts_created_count: int


class ToolAction(Metrics, frozen=True, kw_only=True):
    """Proposals of one tool."""

    accepted_count: int
    rejected_count: int


class ToolActions(Metrics, frozen=True, kw_only=True):
    """Proposals of the editing tools."""

    edit_tool: ToolAction
    multi_edit_tool: ToolAction
    write_tool: ToolAction
    notebook_edit_tool: ToolAction


class ClaudeCodeMetrics(Metrics, frozen=True, kw_only=True):
    """Claude Code."""

    core_metrics: CoreMetrics
    tool_actions: ToolActions


class CoworkMetrics(Metrics, frozen=True, kw_only=True):
    """Cowork."""

    distinct_session_count: int
    message_count: int
    action_count: int
    dispatch_turn_count: int
    skills_used_count: int
    distinct_skills_used_count: int
    connectors_used_count: int
    distinct_connectors_used_count: int
    artifacts_created_count: int
    plugins_used_count: int
    distinct_plugins_used_count: int
    file_edit_count: int
    edit_tool_count: int
    multi_edit_tool_count: int
    write_tool_count: int
    notebook_edit_tool_count: int
    sessions_with_file_edits_count: int


class OfficeProductMetrics(Metrics, frozen=True, kw_only=True):
    """One Office application."""

    distinct_session_count: int
    message_count: int
    skills_used_count: int
    distinct_skills_used_count: int
    connectors_used_count: int
    distinct_connectors_used_count: int


class OfficeMetrics(Metrics, frozen=True, kw_only=True):
    """Office, by application."""

    excel: OfficeProductMetrics
    powerpoint: OfficeProductMetrics
    word: OfficeProductMetrics
    outlook: OfficeProductMetrics


class DesignMetrics(Metrics, frozen=True, kw_only=True):
    """Design."""

    distinct_session_count: int
    message_count: int
    distinct_projects_created_count: int
    distinct_projects_used_count: int


class ScienceMetrics(Metrics, frozen=True, kw_only=True):
    """Science."""

    distinct_session_count: int
    message_count: int
    delegation_count: int
    remote_compute_job_count: int
    skills_used_count: int


class UserActivity(Metrics, frozen=True, kw_only=True):
    """A person's activity on the requested days; with `group_by[]`, the activity of a group's people."""

    user: User | None
    chat_metrics: ChatMetrics
    claude_code_metrics: ClaudeCodeMetrics
    cowork_metrics: CoworkMetrics
    office_metrics: OfficeMetrics
    design_metrics: DesignMetrics
    science_metrics: ScienceMetrics
    chat_cowork_unified_metrics: None = None
    claude_tag_metrics: None = None
    web_search_count: int
    distinct_user_count: int | None = None
    last_activity_date: date
    rbac_group_id: str | None = None
    rbac_group_name: str | None = None
