"""Every metric: what it counts, of what, over which days, and how ties are broken; docs/metrics.md has the list too."""

from msgspec import Struct

ANY = "any days"
DAILY = "each day of any days"
BOTH = "any days, and each of them"
TO_DATE = "mtd, qtd, ytd"
PICKED = "1-week, 1-month, 3-months, 1-year"
LEADERS = "mtd, qtd, ytd, 1-year"
MODELS = "1-month, 3-months, 1-year"
NONE = "-"

SEATS = "assigned seats at the end of the day"
AT_END = "assigned seats at the window's end; also active people of the window"
ACCOUNT = "account id"


class Metric(Struct, frozen=True):
    """One metric. `function` is its name in reports.metrics; `windows` those it is published for, of any it takes."""

    name: str
    unit: str
    windows: str
    numerator: str
    function: str
    denominator: str = NONE
    ties: str = NONE
    reads: tuple[str, ...] = ()

    @property
    def sql(self) -> tuple[str, ...]:
        """The files under reports/metrics/sql that it reads; usually the one that is called like its function."""
        return self.reads or (self.function,)


METRICS: tuple[Metric, ...] = (
    Metric("daily active users", "people", "the day", "distinct people active on the day", "active_users"),
    Metric(
        "weekly active users",
        "people",
        "1-week",
        "distinct people active in the 7 days that end with the day",
        "active_users",
    ),
    Metric(
        "monthly active users",
        "people",
        "1-month",
        "distinct people active in the 30 days that end with the day",
        "active_users",
    ),
    Metric("active people", "people", ANY, "distinct people active in the window, and who they are", "active_people"),
    Metric(
        "calendar active people",
        "people",
        TO_DATE,
        "distinct people active since the calendar month, quarter or year began",
        "active_people",
    ),
    Metric(
        "token users",
        "people",
        ANY,
        "distinct people whose requests used tokens, in whatever product",
        "token_users",
        reads=("people_with_tokens",),
    ),
    Metric(
        "stickiness",
        "ratio",
        DAILY,
        "daily active users",
        "stickiness",
        denominator="monthly active users",
        reads=("active_users",),
    ),
    Metric("active days", "people", ANY, "people active on exactly one, two, ... all days", "active_days"),
    Metric(
        "lifecycle",
        "people",
        ANY,
        "people who are new, returning, resurrected or dormant, by the window of as many days before",
        "lifecycle",
    ),
    Metric(
        "retention",
        "ratio",
        "weeks of 7 days",
        "of these, people active in that week and in each later one",
        "retention",
        denominator="people whose first active day lies in the week",
    ),
    Metric("seats", "seats", DAILY, "people who hold a seat, and seats purchased, at the end of the day", "seats"),
    Metric("pending invites", "invites", DAILY, "invites sent and not closed by the end of the day", "pending_invites"),
    Metric(
        "utilization",
        "ratio",
        "1-week",
        "weekly active users",
        "utilization",
        denominator=SEATS,
        reads=("active_users", "seats"),
    ),
    Metric(
        "daily and monthly adoption",
        "ratio",
        "the day, 1-month",
        "daily, monthly active users",
        "utilization",
        denominator=SEATS,
        reads=("active_users", "seats"),
    ),
    Metric(
        "top connectors",
        "people",
        ANY,
        "distinct people who called the connector; its calls by anyone, in three kinds",
        "top_connectors",
        denominator="connectors that were called",
        ties="calls, then the connector's name",
    ),
    Metric("spend", "USD", TO_DATE, "reported usage at list price, and net of discount", "spend"),
    Metric("spend in Claude Code", "USD", ANY, "the same of the product Claude Code alone", "spend_in_products"),
    Metric(
        "spend by model",
        "USD",
        MODELS,
        "reported usage of the model, highest net first, models without a price last",
        "spend_by_model",
        denominator="spend",
        ties="model id",
    ),
    Metric(
        "top people by spend",
        "USD",
        TO_DATE,
        "the person's reported usage, ranked by the priced part's net",
        "top_people_by_spend",
        denominator="people with reported usage",
        ties=ACCOUNT,
        reads=("top_people_by_spend", "people"),
    ),
    Metric("chats started", "chats", DAILY, "distinct conversations started on the day", "chats_started"),
    Metric("chats", "chats", PICKED, "distinct conversations started in the window", "chats_started"),
    Metric(
        "people with a chat",
        "ratio",
        ANY,
        "distinct people who started a chat or wrote in one",
        "people_with",
        denominator=AT_END,
        reads=("people_with_chats", "seats", "active_people"),
    ),
    Metric(
        "people with a project",
        "ratio",
        ANY,
        "distinct people who created a project or worked in one",
        "people_with",
        denominator=AT_END,
        reads=("people_with_projects", "seats", "active_people"),
    ),
    Metric(
        "people with an artifact",
        "ratio",
        ANY,
        "distinct people who made an artifact",
        "people_with",
        denominator=AT_END,
        reads=("people_with_artifacts", "seats", "active_people"),
    ),
    Metric("projects created", "projects", BOTH, "distinct projects created", "projects_created"),
    Metric(
        "artifacts created",
        "artifacts",
        BOTH,
        "distinct artifacts made, by the day of their creation",
        "artifacts_created",
    ),
    Metric(
        "top people by projects used",
        "projects",
        LEADERS,
        "distinct projects the person worked in",
        "top_people_by_projects_used",
        denominator="people who worked in a project",
        ties=ACCOUNT,
        reads=("top_people_by_projects_used", "people"),
    ),
    Metric(
        "top people by artifacts made",
        "artifacts",
        LEADERS,
        "distinct artifacts the person made",
        "top_people_by_artifacts_made",
        denominator="people who made an artifact",
        ties=ACCOUNT,
        reads=("top_people_by_artifacts_made", "people"),
    ),
    Metric("Claude Code sessions", "sessions", BOTH, "distinct sessions, by anyone", "claude_code"),
    Metric(
        "Claude Code people",
        "people",
        BOTH,
        "distinct people with a tool use, a commit or a pull request",
        "claude_code",
    ),
    Metric(
        "lines accepted",
        "lines",
        BOTH,
        "added lines that were accepted; deleting them later takes nothing back",
        "claude_code",
    ),
    Metric(
        "accept rate",
        "ratio",
        BOTH,
        "accepted suggestions of Edit, MultiEdit, Write and NotebookEdit",
        "claude_code",
        denominator="accepted and rejected suggestions of the same",
    ),
    Metric("commits, pull requests", "events", BOTH, "commits, pull requests made with Claude Code", "claude_code"),
    Metric(
        "top people in Claude Code",
        "lines, pull requests, commits or sessions",
        ANY,
        "the person's lines accepted, or what else it is ranked by",
        "top_people_by_claude_code",
        denominator="people who have any of it",
        ties=ACCOUNT,
        reads=("top_people_by_claude_code", "people"),
    ),
    Metric(
        "a person's activity",
        "counts",
        BOTH,
        "what the person did, by day and product: chats, sessions, projects and artifacts distinct",
        "person_activity",
        reads=("person_activity", "person_known"),
    ),
    Metric(
        "a person's usage", "requests", BOTH, "the person's requests, whoever pays, by day and model", "person_usage"
    ),
    Metric("a person's spend", "USD", BOTH, "the person's reported usage, by day, product and model", "person_spend"),
    Metric("a connector's use", "calls", BOTH, "people who called it, and calls, by day and product", "connector_use"),
)
