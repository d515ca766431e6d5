"""Look-ups of organizations: existence and current name."""

from pathlib import Path

from clickhouse_connect.driver.client import Client

from queries.errors import UnknownOrganization
from queries.sql_files import fetch

NAME = Path(__file__).with_name("organization_name.sql")


def organization_name(client: Client, organization_id: str) -> str:
    """Return the organization's current name; empty if the directory contains none."""
    rows = fetch(client, NAME, {"organization_id": organization_id})
    return str(rows[0]["name"]) if rows else ""


def require_known(client: Client, organization_id: str) -> None:
    """Raise UnknownOrganization if neither the directory nor the usage contains the organization."""
    if not is_known(client, organization_id):
        message = f"Organization {organization_id} does not exist in the directory or the usage"
        raise UnknownOrganization(message, "Check the id; its events may not have arrived yet.")


def is_known(client: Client, organization_id: str) -> bool:
    """Return True if the directory or the usage contains anything of the organization."""
    query = (
        "SELECT (SELECT count() FROM (SELECT 1 FROM directory WHERE organization_id = {id:UUID} LIMIT 1)) + "
        "(SELECT count() FROM (SELECT 1 FROM spend_cells WHERE organization_id = {id:UUID} LIMIT 1))"
    )
    return bool(client.query(query, parameters={"id": organization_id}).result_rows[0][0])
