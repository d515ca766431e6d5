"""Kafka address and login of a running `tally up`, which publishes them in a file that only its user can read."""

import json
from pathlib import Path
from typing import Any


class NoStack(RuntimeError):
    """No stack runs over the folder, or it uses an external Kafka, to which you connect by name."""


def connection_of_stack(folder: str | Path) -> dict[str, Any]:
    """Return `bootstrap` and aiokafka's keywords for the Kafka of the stack that runs over `folder`. Raises NoStack."""
    path = Path(folder) / "settings.json"
    try:
        stack: dict[str, str] = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise NoStack(f"no stack runs over {folder}: {path} does not exist; start one with `tally up`") from error
    protocol = stack["kafka_security_protocol"]
    if protocol.endswith("SSL"):
        raise NoStack(
            f"the stack over {folder} uses the external Kafka at {stack['kafka_bootstrap']}: connect to it by name"
        )
    found: dict[str, Any] = {"bootstrap": stack["kafka_bootstrap"], "security_protocol": protocol}
    if protocol.startswith("SASL"):
        found["sasl_mechanism"] = stack["kafka_sasl_mechanism"]
        found["sasl_plain_username"] = stack["kafka_sasl_username"]
        found["sasl_plain_password"] = stack["kafka_sasl_password"]
    return found
