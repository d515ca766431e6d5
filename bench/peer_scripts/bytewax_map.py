"""Bytewax summing tokens in a stateful map: BOOTSTRAP TOPIC EVENTS; prints one JSON object.

One worker, keyed by Tally's own cell: organization, hour, person, product and model. State is in memory alone (no
recovery store), which is the fastest that it does. A batch is decoded whole before its first event is summed, so a
batch of 1,000, the default, is not in the time. Imports nothing of Tally.
"""

import sys
from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, run_main
from elapsed import Took


def main(bootstrap: str, topic: str, wanted: int) -> None:
    """Read so many records, and say what that took."""
    took, counted = Took(wanted), [0]

    def add(tokens: int | None, event: dict[str, Any]) -> tuple[int, int]:
        tokens = (tokens or 0) + event["output_tokens"]
        counted[0] += event["output_tokens"]
        took.one(counted[0])
        return tokens, tokens

    flow = Dataflow("tokens")
    records = op.input("records", flow, KafkaSource([bootstrap], [topic]))
    keyed = op.key_on("cell", op.map("decode", records, decode), cell_of)
    op.output("out", op.stateful_map("sum", keyed, add), TestingSink([]))
    run_main(flow)


def decode(record: KafkaSourceMessage) -> dict[str, Any]:
    """The event of a record."""
    event: dict[str, Any] = orjson.loads(record.value)
    return event


def cell_of(event: dict[str, Any]) -> str:
    """What Tally keys it by."""
    hour = event["occurred_at"][:13]
    return "|".join((event["organization_id"], hour, event["actor"]["id"], event["product"], event["model"]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
