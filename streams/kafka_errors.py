"""Transient Kafka errors, and a broker's error codes as exceptions."""

from aiokafka.errors import KafkaConnectionError, for_code


def is_transient(error: BaseException) -> bool:
    """Return True if a retry can help: the broker is unavailable, starting or electing a leader."""
    return isinstance(error, TimeoutError | KafkaConnectionError) or bool(getattr(error, "retriable", False))


def raise_for(code: int, message: str) -> None:
    """Raise the KafkaError for a code; 0 is no error."""
    if code:
        raise for_code(code)(message)
