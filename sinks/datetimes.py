"""Timestamps in ClickHouse's format."""

from datetime import datetime


def clickhouse_timestamp(moment: datetime) -> str:
    """Format a UTC moment as a DateTime('UTC') parameter, in whole seconds."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")
