"""The tables of cells, written a second time: window, key columns, counters, and the events that they count."""

from dataclasses import dataclass

from verify.events import SESSION_COUNTERS, TOKEN_CLASSES

NIL = "00000000-0000-0000-0000-000000000000"
"""The id that represents `none` in tables."""


@dataclass(frozen=True)
class CellTable:
    """One table. A cell's key here is (source, organization, window, *key), each as ClickHouse writes it."""

    name: str
    window: str
    key: tuple[str, ...]
    counters: tuple[str, ...]

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The columns of a cell's key."""
        return ("source", "organization_id", self.window, *self.key)


_ACTOR = ("actor_type", "actor_id", "product")

CELL_TABLES: dict[str, CellTable] = {
    table.name: table
    for table in (
        CellTable(
            "spend_cells",
            "hour",
            (
                *_ACTOR,
                "model",
                "service_tier",
                "context_window",
                "inference_geo",
                "speed",
                "funding",
                "attribution_id",
            ),
            ("requests", *TOKEN_CLASSES, "web_search_requests", "execution_spans", "execution_milliseconds"),
        ),
        CellTable(
            "chat_cells",
            "day",
            (*_ACTOR, "surface", "project_id", "conversation_id"),
            ("messages", "thinking_messages", "shared_views", "web_searches", "started"),
        ),
        CellTable("file_cells", "day", (*_ACTOR, "project_id", "file_id"), ("uploads",)),
        CellTable("project_cells", "day", (*_ACTOR, "project_id"), ("created", "used")),
        CellTable(
            "artifact_cells",
            "day",
            (*_ACTOR, "surface", "project_id", "artifact_type", "artifact_id"),
            ("created", "shared", "published", "viewed"),
        ),
        CellTable(
            "connector_cells",
            "day",
            (*_ACTOR, "surface", "project_id", "kind", "name", "auth_mode", "session_id"),
            ("read_calls", "write_calls", "unclassified_calls", "uses", "enabled", "installed", "credentials"),
        ),
        CellTable(
            "session_cells",
            "day",
            (*_ACTOR, "surface", "terminal", "is_remote", "session_id"),
            ("started", *SESSION_COUNTERS),
        ),
        CellTable("minute_cells", "minute", ("product", "model"), ("events", "requests", *TOKEN_CLASSES)),
    )
}

ATTRIBUTION_COLUMNS = (
    "attribution_id",
    "workspace_id",
    "api_key_id",
    "session_id",
    "agent_id",
    "deployment_id",
    "environment_id",
    "user_profile_id",
    "slack_channel_id",
    "claude_tag_user_id",
    "claude_tag_category",
    "terminal",
    "is_remote",
    "skills",
)
