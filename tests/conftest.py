"""What all tests share: the real Kafka and ClickHouse, started when the first test asks for them."""

pytest_plugins = ["tests.support.stack"]
