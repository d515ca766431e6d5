"""librdkafka consuming a topic and doing nothing with it: BOOTSTRAP TOPIC EVENTS; prints one JSON object.

Half of the bound of ClickHouse's Kafka engine, which consumes with this library. Imports nothing of Tally.
"""

import json
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition


def main(bootstrap: str, topic: str, wanted: int) -> None:
    """Read so many records, and say what that took."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench", "enable.auto.commit": False})
    partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
    consumer.assign([TopicPartition(topic, each, OFFSET_BEGINNING) for each in partitions])
    waited_for = len(consumer.consume(10_000, timeout=20))  # with the connection, which is not measured
    began, cpu_began, seen = time.perf_counter(), time.process_time(), 0
    while waited_for + seen < wanted:
        seen += len(consumer.consume(10_000, timeout=20))
    took = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu_began}
    print(json.dumps({"events": seen, **took}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
