"""Walks whose rows are stored as page 1 saw them: their range includes the present, and new usage must not end them."""

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import orjson
from clickhouse_connect.driver.client import Client

from queries.sql_files import Row, fetch
from sinks.client import insert_rows

COLUMNS = ("walk_id", "place", "row")


def keep_walk(client: Client, rows: Sequence[Row]) -> str:
    """Store all rows of a walk for a day, in order, and return its id. Raises ClickHouseError."""
    walk_id = uuid4().hex
    kept = [(walk_id, place, orjson.dumps(row).decode()) for place, row in enumerate(rows)]
    insert_rows(client, "usage_walks", COLUMNS, kept)
    return walk_id


def read_walk(client: Client, walk_id: str, start: int, limit: int) -> list[Row]:
    """Return a walk's rows from the position `start` on; none if it is older than a day. Raises ClickHouseError."""
    asked = {"walk_id": walk_id, "start": start, "limit": limit}
    return [orjson.loads(found["row"]) for found in fetch(client, Path(__file__).with_name("walk.sql"), asked)]
