"""The columns of spend reports, and the keys that distinguish their rows."""

from dataclasses import dataclass
from typing import Literal

ROW = (
    "date",
    "organization_uuid",
    "user_email",
    "account_uuid",
    "product",
    "model",
    "model_family",
    "total_requests",
    "total_prompt_tokens",
    "total_completion_tokens",
    "total_net_spend_usd",
    "total_gross_spend_usd",
    "total_uncached_input_tokens",
    "total_cache_read_tokens",
    "total_cache_write_5m_tokens",
    "total_cache_write_1h_tokens",
    "total_web_search_count",
    "slack_channel_id",
    "user_id",
    "teams_channel_id",
)
"""Every column of a row, in the order of spend_report.sql, then `user_id` and the columns without a data source."""

SELECTED = ROW[:18]
"""The columns that spend_report.sql selects."""


LayoutName = Literal["daily", "claude-2026-10"]


@dataclass(frozen=True)
class Layout:
    """A choice of columns. `keys` distinguish rows; `by_day` and `by_channel` enable two of them.

    `names` are the columns that can change without new usage, such as an e-mail address, so they are not among the
    facts of a row.
    """

    name: LayoutName
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    by_day: bool = False
    by_channel: bool = False
    names: tuple[str, ...] = ("user_email",)

    @property
    def by_user_id(self) -> bool:
        """True if rows have the account's tagged id, which costs more than the rest of a row."""
        return "user_id" in self.columns

    @property
    def facts(self) -> tuple[str, ...]:
        """The columns that are not names."""
        return tuple(column for column in self.columns if column not in self.names)


DAILY = Layout("daily", ROW[:12], ("date", "account_uuid", "product", "model"), by_day=True)
"""One row per day: the columns of issued reports."""

CLAUDE_2026_10 = Layout(
    "claude-2026-10",
    (*ROW[2:6], *ROW[7:12], "user_id", *ROW[12:18], "teams_channel_id"),
    ("account_uuid", "product", "model", "slack_channel_id"),
    by_channel=True,
)
"""One row for the whole period, by channel: the columns of the original API's report since October 2026."""

LAYOUTS: dict[LayoutName, Layout] = {layout.name: layout for layout in (DAILY, CLAUDE_2026_10)}
