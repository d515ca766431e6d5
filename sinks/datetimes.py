"""Moments as text: in ClickHouse's format and in RFC 3339, both in UTC."""

from datetime import UTC, datetime
from typing import Literal

Precision = Literal["seconds", "milliseconds", "microseconds"]


def clickhouse_timestamp(moment: datetime, precision: Precision = "seconds") -> str:
    """Format an aware moment for a DateTime('UTC') column or parameter, or with more digits for a DateTime64(3 or 6,
    'UTC')."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", precision)


def rfc3339(moment: datetime, precision: Precision | Literal["auto"] = "auto") -> str:
    """Format an aware moment in RFC 3339 with `Z`, by default with the fewest digits that lose nothing."""
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
