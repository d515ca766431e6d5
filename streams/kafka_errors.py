"""Which errors of Kafka pass by themselves, and a broker's error codes as exceptions."""

from aiokafka.errors import KafkaConnectionError, for_code


def is_transient(error: BaseException) -> bool:
    """Whether trying again can help: the broker is away, coming up or electing a leader."""
    return isinstance(error, TimeoutError | KafkaConnectionError) or bool(getattr(error, "retriable", False))


def raise_for(code: int, message: str) -> None:
    """Raises the KafkaError of a code; 0 is none."""
    if code:
        raise for_code(code)(message)
