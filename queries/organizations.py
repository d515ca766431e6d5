"""Whether there is an organization, and what it is called."""

from pathlib import Path

from clickhouse_connect.driver.client import Client

from queries.errors import UnknownOrganization
from queries.sql_files import fetch

NAME = Path(__file__).with_name("organization_name.sql")


def organization_name(client: Client, organization_id: str) -> str:
    """Its present name; empty when the directory has not said one."""
    rows = fetch(client, NAME, {"organization_id": organization_id})
    return str(rows[0]["name"]) if rows else ""


def require_known(client: Client, organization_id: str) -> None:
    """Nothing, or UnknownOrganization."""
    if not is_known(client, organization_id):
        message = f"There is no organization {organization_id} in the directory or the usage"
        raise UnknownOrganization(message, "Check the id; its events may not have arrived yet.")


def is_known(client: Client, organization_id: str) -> bool:
    """Whether the directory or the usage holds anything of the organization."""
    query = (
        "SELECT (SELECT count() FROM (SELECT 1 FROM directory WHERE organization_id = {id:UUID} LIMIT 1)) + "
        "(SELECT count() FROM (SELECT 1 FROM spend_cells WHERE organization_id = {id:UUID} LIMIT 1))"
    )
    return bool(client.query(query, parameters={"id": organization_id}).result_rows[0][0])
