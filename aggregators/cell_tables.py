"""Declaration of every table that folds fill. Fold, flush and read-back follow it, and a test compares the SQL with it.

A cell is one row: `source`, `organization_id`, the window, the key columns, integer counters, and `log_offset`, the
offset of the last event folded into it. `source` is `topic/partition@epoch`, so a cell has one writer.
"""

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class CellTable:
    """One table of cells: its window ("hour", "day" or "minute"), key columns and counters, in column order.

    Compared by identity: each table is declared once, and hashing the fields would take a tenth of the fold's time.
    """

    name: str
    window: str
    key: tuple[str, ...]
    counters: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in the order in which rows are written and read back."""
        return ("source", "organization_id", self.window, *self.key, "log_offset", *self.counters)


TOKEN_CLASSES = (
    "uncached_input_tokens",
    "cache_read_input_tokens",
    "cache_creation_5m_input_tokens",
    "cache_creation_1h_input_tokens",
    "output_tokens",
)

SPEND = CellTable(
    "spend_cells",
    "hour",
    (
        "actor_type",
        "actor_id",
        "product",
        "model",
        "service_tier",
        "context_window",
        "inference_geo",
        "speed",
        "funding",
        "attribution_id",
    ),
    ("requests", *TOKEN_CLASSES, "web_search_requests", "execution_spans", "execution_milliseconds"),
)

CHAT = CellTable(
    "chat_cells",
    "day",
    ("actor_type", "actor_id", "product", "surface", "project_id", "conversation_id"),
    ("messages", "thinking_messages", "shared_views", "web_searches", "started"),
)

FILE = CellTable("file_cells", "day", ("actor_type", "actor_id", "product", "project_id", "file_id"), ("uploads",))

PROJECT = CellTable("project_cells", "day", ("actor_type", "actor_id", "product", "project_id"), ("created", "used"))

ARTIFACT = CellTable(
    "artifact_cells",
    "day",
    ("actor_type", "actor_id", "product", "surface", "project_id", "artifact_type", "artifact_id"),
    ("created", "shared", "published", "viewed"),
)

CONNECTOR = CellTable(
    "connector_cells",
    "day",
    ("actor_type", "actor_id", "product", "surface", "project_id", "kind", "name", "auth_mode", "session_id"),
    ("read_calls", "write_calls", "unclassified_calls", "uses", "enabled", "installed", "credentials"),
)

SESSION_COUNTERS = (
    "messages",
    "tool_uses",
    "actions",
    "dispatch_turns",
    "lines_added",
    "lines_removed",
    "commits",
    "pull_requests",
    "edit_accepted",
    "edit_rejected",
    "multi_edit_accepted",
    "multi_edit_rejected",
    "write_accepted",
    "write_rejected",
    "notebook_edit_accepted",
    "notebook_edit_rejected",
    "delegations",
    "remote_jobs",
)

SESSION = CellTable(
    "session_cells",
    "day",
    ("actor_type", "actor_id", "product", "surface", "terminal", "is_remote", "session_id"),
    ("started", *SESSION_COUNTERS),
)

MINUTE = CellTable("minute_cells", "minute", ("product", "model"), ("events", "requests", *TOKEN_CLASSES))

CELL_TABLES: tuple[CellTable, ...] = (SPEND, CHAT, FILE, PROJECT, ARTIFACT, CONNECTOR, SESSION, MINUTE)

ATTRIBUTION_IDS = (
    "workspace_id",
    "api_key_id",
    "session_id",
    "agent_id",
    "deployment_id",
    "environment_id",
    "user_profile_id",
)
ATTRIBUTION_TEXTS = ("slack_channel_id", "claude_tag_user_id", "claude_tag_category")
"""The fields of an attribution by which reports filter and group usage."""

ROW_TABLES: dict[str, tuple[str, ...]] = {
    "directory": (
        "organization_id",
        "type",
        "in_force_from",
        "subject_id",
        "detail",
        "event_id",
        "occurred_at",
        "logged_at",
        "source",
        "log_offset",
    ),
    "profiles": (
        "organization_id",
        "account_id",
        "email",
        "name",
        "forgotten",
        "event_id",
        "occurred_at",
        "logged_at",
        "source",
        "log_offset",
    ),
    "attributions": (
        *("attribution_id", *ATTRIBUTION_IDS, *ATTRIBUTION_TEXTS),
        *("terminal", "is_remote", "skills"),
    ),
}
"""The columns of the tables without counters, whose rows are written whole."""
