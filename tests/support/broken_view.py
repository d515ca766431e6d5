"""The view usage_by_day, made wrong on purpose."""

from clickhouse_connect.driver.client import Client


def change_days(client: Client, right: str, wrong: str) -> None:
    """Put `wrong` in the place of `right` in the view's text."""
    query = "SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = 'usage_by_day'"
    [(created,)] = client.query(query).result_rows
    assert right in created, created
    client.command(created.replace(right, wrong).replace("CREATE VIEW", "CREATE OR REPLACE VIEW"))
