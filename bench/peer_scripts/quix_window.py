"""Quix Streams summing tokens in tumbling windows of an hour: BOOTSTRAP TOPIC EVENTS; prints one JSON object.

As its documentation suggests it, with its own defaults: state in RocksDB, a changelog topic, a commit every 5 s. The
topic is keyed by person, so a window's value is that person's sums by product and model: by Tally's own cells, and
without a second topic to key it anew. Imports nothing of Tally.
"""

import os
import sys
from datetime import datetime, timedelta
from tempfile import mkdtemp
from typing import Any

from elapsed import Took
from quixstreams import Application

Sums = dict[str, int]


def main(bootstrap: str, topic: str, wanted: int) -> None:
    """Read so many records, and say what that took."""
    application = Application(
        broker_address=bootstrap,
        consumer_group=f"quix-{os.getpid()}",
        auto_offset_reset="earliest",
        state_dir=mkdtemp(),
        loglevel="ERROR",
    )
    took, counted = Took(wanted), [0]

    def first(event: dict[str, Any]) -> Sums:
        return add({}, event)

    def add(sums: Sums, event: dict[str, Any]) -> Sums:
        cell = f"{event['product']}|{event['model']}"
        sums[cell] = sums.get(cell, 0) + event["output_tokens"]
        counted[0] += event["output_tokens"]
        return sums

    events = application.topic(topic, value_deserializer="json", timestamp_extractor=occurred_ms)
    stream = application.dataframe(events).tumbling_window(timedelta(hours=1)).reduce(add, first).current()
    stream.update(lambda _: took.one(counted[0]))
    application.run()


def occurred_ms(event: dict[str, Any], *_: object) -> int:
    """When the event happened: windows are of its own time, not of the log's."""
    return int(datetime.fromisoformat(event["occurred_at"]).timestamp()) * 1000


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
