"""How connectors are called on screens: the directory's display names, by the key that all spellings share."""

from pathlib import Path

import orjson
from clickhouse_connect.driver.client import Client

from aggregators.activity import connector_key
from reports.queries import ask

SAVED = Path(__file__).parent / "engagement" / "saved.sql"


def connector_names(client: Client, organization_id: str) -> dict[str, str]:
    """Present display name by connector key. Raises ClickHouseError."""
    saved = ask(client, SAVED, {"organization_id": organization_id, "type": "connector.saved"})
    return {
        connector_key(name): orjson.loads(detail)["display_name"] for name, detail in (row.values() for row in saved)
    }
