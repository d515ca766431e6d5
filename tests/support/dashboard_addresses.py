"""Every page of the dashboard that an owner can open, with states of theirs."""

from tests.support.odd_names import SOMEBODY

DETAILS = (f"person?account={SOMEBODY}", "connector?connector=notion&days=1-week")
PAGES = ("activity", "spend", "claude-ai", "claude-code", "exports", "live", *DETAILS)
DAYS = "first=2026-11-13&last=2026-11-19"
STATES = (
    "activity?until=2026-11-20",
    "claude-code?days=1-week&ranked=commits",
    "spend?models=ytd",
    f"people?of=active&{DAYS}",
    "people?of=active&first=2025-01-01&last=2025-01-02",
    f"people?of=connector&connector=notion&{DAYS}",
    "exports/download?period=custom&start=2026-01-01",
    "nothing-here",
    "activity?until=1999-01-01",
)
ALL = (*PAGES, *STATES)
