"""A connector, skill or plugin has one key however its name is spelt, and two of them never share one."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aggregators.connectors import connector_key, name_key
from verify import counting_rules

SAME = [
    ("Atlassian MCP server", "atlassian"),
    ("mcp-atlassian", "atlassian"),
    ("atlassian_MCP", "atlassian"),
    ("ATLASSIAN", "atlassian"),
    ("  Atlassian   MCP\tServer ", "atlassian"),
    ("atlassian-mcp-server", "atlassian"),
    ("mcp.server.atlassian", "atlassian"),
    ("atlassian/mcp-server", "atlassian"),
    ("mcp:atlassian", "atlassian"),
    ("Google Drive", "google_drive"),
    ("google-drive", "google_drive"),
    ("Google Drive (MCP)", "google_drive"),
    ("Google Drive [MCP connector]", "google_drive"),
    ("monday.com MCP Integration", "monday_com"),
    # a kind without the protocol before it belongs to the name
    ("SQL Server", "sql_server"),
    ("SQL", "sql"),
    ("SQL MCP Server", "sql"),
    ("SQL Server MCP", "sql_server"),
    ("SQL Server MCP Server", "sql_server"),
    ("mcp-server-sql-server", "sql_server"),
    ("Oracle Integration", "oracle_integration"),
    ("Kafka Connector", "kafka_connector"),
    ("STRASSE", "strasse"),
    ("Straße MCP", "strasse"),
    # words that merely contain a filler stay whole
    ("Serverless Framework", "serverless_framework"),
    ("MCPHub", "mcphub"),
    ("ConnectorHub MCP server", "connectorhub"),
    ("Disintegrations", "disintegrations"),
    # a filler in the middle goes, and leaves no gap
    ("Salesforce MCP Marketing", "salesforce_marketing"),
    # a name without any other word says no more than that it is a connector
    ("MCP", "mcp"),
    ("MCP server", "mcp"),
    ("Server", "mcp"),
    ("connector", "mcp"),
    ("--", "mcp"),
    ("...", "mcp"),
    (" ", "mcp"),
    ("   ", "mcp"),
    # an accent as a letter of its own, as it comes from other systems
    ("Société Générale", "société_générale"),
    ("Socie\u0301te\u0301 Ge\u0301ne\u0301rale MCP", "société_générale"),
    # other scripts, and signs that are no separators
    ("飞书", "飞书"),
    ("飞书 MCP", "飞书"),
    ("C++ Docs", "c++_docs"),
    ("@acme mail", "@acme_mail"),
]

REAL = """
Airtable|Amazon S3|Asana|Atlassian|AWS|Azure|Azure DevOps|BigQuery|Box|Brave Search|Canva|Cloudflare|Confluence|
Databricks|Discord|Dropbox|Elasticsearch|Exa|Fetch|Figma|Filesystem|Git|GitHub|GitHub Actions|GitLab|Gmail|
Google Analytics|Google Calendar|Google Cloud|Google Docs|Google Drive|Google Maps|Google Sheets|Home Assistant|HubSpot|
Intercom|Jam|Jira|Kubernetes|Linear|Memory|Microsoft 365|Microsoft Teams|Miro|monday.com|MongoDB|MySQL|Notion|OneDrive|
Outlook|PagerDuty|PayPal|Perplexity|Plaid|Playwright|PostgreSQL|Postman|Puppeteer|Redis|Salesforce|Sentry|ServiceNow|
SharePoint|Shopify|Slack|Snowflake|Socket|Square|Stripe|Supabase|Tavily|Telegram|Time|Todoist|Twilio|Vercel|Workato|
WordPress|YouTube|Zapier|Zendesk|Zoom|ZoomInfo
"""
NAMES = [name.strip() for name in REAL.split("|")]
SPELLINGS = [
    "{}",
    "{} MCP",
    "{} MCP server",
    "{} (MCP)",
    "{} MCP connector",
    "{} MCP Integration",
    "mcp-{}",
    "mcp_server_{}",
    "{}-mcp-server",
]


@pytest.mark.parametrize(("name", "key"), SAME)
def test_a_raw_name_has_its_key(name: str, key: str) -> None:
    assert connector_key(name) == key


def test_distinct_connectors_have_distinct_keys_in_every_spelling() -> None:
    keys = {name: {connector_key(spelling.format(name)) for spelling in SPELLINGS} for name in NAMES}
    assert {name for name, found in keys.items() if len(found) > 1} == set()
    assert len(set().union(*keys.values())) == len(NAMES) > 80


@given(st.text(min_size=1))
@example("İ MCP")
@example("\x1c")
@example("ǰ.server")
@example("\u0345\u0301\u03b1")
@example("\u212b ngstr\u00f6m")
def test_a_key_is_never_empty_never_changes_again_and_has_no_spaces(name: str) -> None:
    key = connector_key(name)
    assert key
    assert key == counting_rules.connector_key(name)
    assert " " not in key
    assert connector_key(key) == key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("PDF", "pdf"),
        (" pdf\u00a0", "pdf"),
        ("My MCP Server", "my mcp server"),
        ("brand-guidelines", "brand-guidelines"),
        ("brand guidelines", "brand guidelines"),
        ("R\u00c9SUM\u00c9", "r\u00e9sum\u00e9"),
        ("re\u0301sume\u0301", "r\u00e9sum\u00e9"),
        ("Stra\u00dfe", "strasse"),
        ("   ", " "),
    ],
)
def test_case_and_blanks_around_it_make_no_other_skill(name: str, key: str) -> None:
    assert name_key(name) == key


@given(st.text(min_size=1))
@example("\u0345\u0301\u03b1")
@example("\x1c")
def test_a_skills_key_is_never_empty_and_never_changes_again(name: str) -> None:
    key = name_key(name)
    assert key
    assert key == counting_rules.plain_name(name) == name_key(key)
    assert key == name_key(f"  {name}\u3000")
