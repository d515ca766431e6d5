"""The names in the simulated world, ordinary ones and the unusual ones that real data contains."""

from simulation.rng import bag

# fmt: off
FIRST_NAMES = (
    "Amara", "Ananya", "Anders", "Beatriz", "Bruno", "Chidi", "Chloé", "Daichi", "Elena", "Emre", "Farah", "Félix",
    "Giulia", "Hana", "Hugo", "Ingrid", "Ismael", "Jana", "Jonas", "Kavya", "Keiko", "Lars", "Leila", "Lucía",
    "Malik", "Mateo", "Mei", "Milan", "Nadia", "Ngozi", "Noah", "Olga", "Omar", "Paula", "Priya", "Rafael", "Ravi",
    "Rosa", "Samir", "Selin", "Sofía", "Tariq", "Theo", "Uma", "Viktor", "Wanjiru", "Xavier", "Yuki", "Zahra", "Zoë",
)
LAST_NAMES = (
    "Abebe", "Andersson", "Bakker", "Banerjee", "Castro", "Chen", "Costa", "Dubois", "Eriksen", "Fischer", "García",
    "Haddad", "Hoffmann", "Ibrahim", "Ivanova", "Jansen", "Kaya", "Kim", "Kowalski", "Kumar", "Larsen", "Lopez",
    "Martín", "Mbeki", "Mendes", "Moreau", "Müller", "Nakamura", "Novák", "O'Brien", "Okafor", "Petrov", "Quispe",
    "Rossi", "Sato", "Schmidt", "Silva", "Singh", "Smirnov", "Suzuki", "Tanaka", "Torres", "Vargas", "Weber",
    "Yamada", "Yılmaz", "Zhang",
)
# fmt: on

ODD_NAMES = (
    "Zoë 🧑‍🚀 Star",
    "שירה כהן",
    "محمد الأمين",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    'Smith, "Ann" Jr.',
    "Line\\nBreak",
    "No\u00a0Break",
    "zero\u200bwidth",
    "  spaces  ",
    "Ünï�cödé \u202eevil",
    "NULL",
    "%00byte",
    "O''Hara; DROP TABLE people --",
    "<script>alert(1)</script>",
    "\\N",
    "山田 太郎",
    "é" * 300,
    "x" * 300,
)
ODD_EMAILS = (
    "=1+1@{domain}",
    "+sum(a1)@{domain}",
    "-x@{domain}",
    '"a,b"@{domain}',
    "o'hara@{domain}",
    "用户@{domain}",
    "UPPER.Case+tag@{domain}",
    "l" * 250 + "@{domain}",
)

ORGANIZATION_NAMES = (
    "Meridian Freight",
    "Halcyon Insurance",
    "Brightwater Studio",
    "Osprey Robotics",
    "Linden Health",
    "Müller & Söhne, Werk 2",
    "Kestrel Energy",
    "Papaya Foods 🥭",
    "Northgate Law",
    "Solstice Games",
)
GROUP_NAMES = (
    "Engineering",
    "Sales",
    "Finance, EMEA",
    "Legal",
    "Research 🔬",
    "Support",
    "=Ops",
    'Design "Lab"',
    "שיווק",
)
COST_CENTERS = ("CC-1001", "CC-1002", "CC-2040", "R&D/EU", "4711", None)
PROJECT_NAMES = ("Quarterly review", "Launch plan", "Website", "Data room", "Hiring", "Roadmap", "Pricing", "Migration")
KEY_NAMES = ("ci", "production", "notebooks", "evals", "batch-jobs", "intranet search")
SERVICE_NAMES = ("ticket triage", "nightly reports", "code review", "document intake")

CONNECTORS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("atlassian", "Atlassian", ("Atlassian MCP server", "mcp-atlassian", "atlassian_MCP", "atlassian")),
    ("github", "GitHub", ("github", "GitHub MCP Server", "mcp-server-github")),
    ("google-drive", "Google Drive", ("google-drive", "Google Drive", "google_drive_mcp")),
    ("slack", "Slack", ("slack", "Slack MCP", "mcp-slack")),
    ("notion", "Notion", ("notion", "Notion MCP server", "notion-mcp-server")),
    ("salesforce", "Salesforce", ("Salesforce", "salesforce_mcp")),
    ("wiki", "Wiki «Интранет», v2", ('Wiki «Интранет», "v2"', "wiki")),
    ("formula", "=HYPERLINK", ("=HYPERLINK(0)", "+formula")),
)
"""Each connector's key, its display name, and the spellings under which clients report it."""

SKILLS = ("pdf", "xlsx", "pptx", "brand-guidelines", "release-notes", "sql-review", "résumé, short")
PLUGINS = ("code-review", "security-scan", "docs-writer", "deploy-helper", "=plugin")

MODELS = bag(
    {
        "claude-sonnet-5": 38,
        "claude-opus-5-5": 20,
        "claude-haiku-4-5-20251001": 14,
        "claude-opus-5": 8,
        "claude-opus-4-8": 5,
        "claude-sonnet-4-6": 6,
        "claude-opus-4-6": 3,
        "claude-sonnet-4-5-20250929": 4,
        "claude-opus-4-1-20250805": 1,
    }
)
UNPRICED_MODEL = "claude-internal-preview"
"""A model that no price list contains: its spend is unknown, never 0."""

ZONES = bag({-480: 4, -300: 5, -180: 1, 0: 4, 60: 6, 120: 2, 330: 3, 345: 1, 480: 2, 540: 2, 600: 1})
"""Minutes ahead of UTC."""
