"""Walks whose rows are kept as page 1 saw them, since their range passes the present: who works meanwhile ends none."""

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import orjson
from clickhouse_connect.driver.client import Client

from queries.sql_files import Row, fetch
from sinks.client import insert_rows

COLUMNS = ("walk_id", "place", "row")


def keep_walk(client: Client, rows: Sequence[Row]) -> str:
    """Keep all rows of a walk for a day, in order; the id by which they are found again. Raises ClickHouseError."""
    walk_id = uuid4().hex
    kept = [(walk_id, place, orjson.dumps(row).decode()) for place, row in enumerate(rows)]
    insert_rows(client, "usage_walks", COLUMNS, kept)
    return walk_id


def read_walk(client: Client, walk_id: str, start: int, limit: int) -> list[Row]:
    """Rows of a walk from the place `start` on; none when it is older than a day. Raises ClickHouseError."""
    asked = {"walk_id": walk_id, "start": start, "limit": limit}
    return [orjson.loads(found["row"]) for found in fetch(client, Path(__file__).with_name("walk.sql"), asked)]
