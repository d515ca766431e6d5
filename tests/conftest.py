"""What all tests share: the real Kafka and ClickHouse, started when the first test asks for them."""

from hypothesis import settings

pytest_plugins = ["tests.support.stack"]

# No test is of how fast the machine is: an example that a busy machine takes long for has found nothing.
settings.register_profile("tally", deadline=None)
settings.load_profile("tally")
