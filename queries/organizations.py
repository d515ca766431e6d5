"""What an organization is called."""

from pathlib import Path

from clickhouse_connect.driver.client import Client

from queries.sql_files import ask

NAME = Path(__file__).with_name("organization_name.sql")


def organization_name(client: Client, organization_id: str) -> str:
    """Its present name; empty when the directory has not said one."""
    rows = ask(client, NAME, {"organization_id": organization_id})
    return str(rows[0]["name"]) if rows else ""
