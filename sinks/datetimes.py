"""Moments as ClickHouse takes them, and as people and programs read them."""

from datetime import datetime


def clickhouse_timestamp(moment: datetime) -> str:
    """A UTC moment as the text of a DateTime('UTC') parameter, whole seconds."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")
