"""Which columns a spend report has, and what tells its rows apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from reports.ids import USER, tagged

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
"""All that is known of a row, in the order of spend_report.sql; `user_id` and what nothing feeds come after that."""

ACCOUNT = ROW.index("account_uuid")


@dataclass(frozen=True)
class Layout:
    """A choice of columns. Rows are apart by `keys`; `by_day` and `by_channel` say which of these they may be.

    A name may change of itself (an e-mail), so it is no fact of the row.
    """

    name: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    by_day: bool = False
    by_channel: bool = False
    names: tuple[str, ...] = ("user_email",)

    @cached_property
    def by_user_id(self) -> bool:
        """Whether rows carry the outer form of the account, which costs more than the rest of a row."""
        return "user_id" in self.columns

    @cached_property
    def pick(self) -> Callable[[Sequence[str]], tuple[str, ...]]:
        """Takes the layout's cells out of a row of ROW."""
        first, *others = map(ROW.index, self.columns)
        return itemgetter(first, *others)

    @cached_property
    def key_places(self) -> tuple[int, ...]:
        """Where the keys are among the layout's cells."""
        return tuple(map(self.columns.index, self.keys))

    @cached_property
    def name_places(self) -> frozenset[int]:
        """Where the names are among the layout's cells."""
        return frozenset(map(self.columns.index, self.names))


DAILY = Layout("daily", ROW[:12], ("date", "account_uuid", "product", "model"), by_day=True)
"""A row a day: the columns of issued reports."""

CLAUDE_2026_10 = Layout(
    "claude-2026-10",
    (*ROW[2:6], *ROW[7:12], "user_id", *ROW[12:18], "teams_channel_id"),
    ("account_uuid", "product", "model", "slack_channel_id"),
    by_channel=True,
)
"""A row for the whole period, apart by channel: the columns that the original's report has since October 2026."""

LAYOUTS = {layout.name: layout for layout in (DAILY, CLAUDE_2026_10)}


def whole_row(cells: Sequence[str]) -> list[str]:
    """A row of ROW from one of spend_report.sql. Nothing tells of a channel of Teams."""
    return [*cells, tagged(USER, cells[ACCOUNT]) if cells[ACCOUNT] else "", ""]
