"""aiokafka's warning of a password sent in the clear, left out for brokers on this machine: what is sent to a loopback
address reaches no network."""

import inspect
import logging
from ipaddress import ip_address

from aiokafka.conn import AIOKafkaConnection

IN_THE_CLEAR = "Sending username and password in the clear"


class LoopbackLogin(logging.Filter):
    """Drop that one warning, if the connection that logs it is to a loopback address."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True if the line is to be written."""
        return record.msg != IN_THE_CLEAR or not is_loopback(_host_of_caller())


def is_loopback(host: str) -> bool:
    """Return True if `host` is `localhost` or a loopback address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def leave_out_loopback_logins() -> None:
    """Install the filter for all connections of this process. Safe to call again."""
    logging.getLogger("aiokafka.conn").addFilter(_FILTER)


def _host_of_caller() -> str:
    """Return the host of the connection that is logging, "" if there is none. The record does not have it."""
    frame = inspect.currentframe()
    while frame is not None:
        connection = frame.f_locals.get("self")
        if isinstance(connection, AIOKafkaConnection):
            return str(connection.host)
        frame = frame.f_back
    return ""


_FILTER = LoopbackLogin()
