"""Display names of connectors from the directory, by the key that all spellings share."""

from pathlib import Path

import orjson
from clickhouse_connect.driver.client import Client

from queries.sql_files import fetch

SAVED = Path(__file__).parent / "engagement" / "saved_objects.sql"


def connector_names(client: Client, organization_id: str) -> dict[str, str]:
    """Return the name that was saved last, by connector key. Raises ClickHouseError."""
    saved = fetch(client, SAVED, {"organization_id": organization_id, "type": "connector.saved"})
    return {key: orjson.loads(detail)["display_name"] for key, detail in (row.values() for row in saved)}
