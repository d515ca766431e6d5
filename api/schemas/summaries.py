"""The summary of one day of an organization."""

from datetime import date, datetime, timedelta
from typing import Any

from msgspec import Struct

from api.schemas.common import ResponsePage
from reports.engagement.summaries import PRODUCTS, Summary
from reports.metric_windows import ACTIVE_DAYS
from reports.periods import midnight


class DaySummary(Struct, frozen=True, kw_only=True):
    """Active people by trailing window, seats and invitations of a UTC day [starting_at, ending_at).

    Seats, invitations and the rates derived from them are null if a group is requested.
    """

    starting_at: datetime
    ending_at: datetime
    daily_active_user_count: int
    weekly_active_user_count: int
    monthly_active_user_count: int
    assigned_seat_count: int | None
    pending_invite_count: int | None
    daily_adoption_rate: float | None
    weekly_adoption_rate: float | None
    monthly_adoption_rate: float | None
    chat_daily_active_user_count: int
    chat_weekly_active_user_count: int
    chat_monthly_active_user_count: int
    claude_code_daily_active_user_count: int
    claude_code_weekly_active_user_count: int
    claude_code_monthly_active_user_count: int
    cowork_daily_active_user_count: int
    cowork_weekly_active_user_count: int
    cowork_monthly_active_user_count: int
    office_agent_daily_active_user_count: int
    office_agent_weekly_active_user_count: int
    office_agent_monthly_active_user_count: int
    claude_design_daily_active_user_count: int
    claude_design_weekly_active_user_count: int
    claude_design_monthly_active_user_count: int
    science_daily_active_user_count: int
    science_weekly_active_user_count: int
    science_monthly_active_user_count: int
    chat_cowork_unified_daily_active_user_count: None = None
    chat_cowork_unified_weekly_active_user_count: None = None
    chat_cowork_unified_monthly_active_user_count: None = None
    claude_tag_daily_active_user_count: None = None
    claude_tag_weekly_active_user_count: None = None
    claude_tag_monthly_active_user_count: None = None
    science_entitled_user_count: None = None


class SummaryPage(ResponsePage[DaySummary], frozen=True, kw_only=True):
    """All requested days; `summaries` is the older spelling of `data`."""

    summaries: list[DaySummary]


def day_summary(summary: Summary) -> DaySummary:
    """Return a summary as the API returns it."""
    counts: dict[str, Any] = {
        f"{product}_{window}_active_user_count".lstrip("_"): summary.active[product, days]
        for product in ("", *PRODUCTS)
        for window, days in ACTIVE_DAYS.items()
    }
    rates: dict[str, Any] = {
        f"{window}_adoption_rate": adoption_rate(summary.active["", days], summary.seats)
        for window, days in ACTIVE_DAYS.items()
    }
    return DaySummary(
        starting_at=midnight(summary.day),
        ending_at=midnight(next_day(summary.day)),
        assigned_seat_count=summary.seats,
        pending_invite_count=summary.invites,
        **counts,
        **rates,
    )


def adoption_rate(active: int, seats: int | None) -> float | None:
    """Return active people in percent of the seats assigned at the day's end; None if those are unknown or 0."""
    return active / seats * 100 if seats else None


def next_day(day: date) -> date:
    """Return the following day."""
    return day + timedelta(days=1)
