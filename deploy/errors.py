"""Every foreseeable failure as one clear line and a meaningful exit code.

`explain(error)` turns a library's error into a `UserError`, or returns None if it is not foreseeable: then it is a bug,
and the command ends with `ExitCode.INTERNAL`. Library classes are named by text, not imported: importing aiokafka and
clickhouse-connect would cost every `tally --help` half a second.
"""

import errno
import re
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """Exit codes of commands (docs/operations.md and `tally --help` show the same table)."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    UNREACHABLE = 3
    REFUSED = 4
    DENIED = 5
    FILE = 6
    BUSY = 7
    INTERNAL = 70
    INTERRUPTED = 130


MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "done",
    ExitCode.FINDINGS: "the command ran and found something wrong (verify, doctor, emit --check)",
    ExitCode.USAGE: "a wrong flag, argument or setting",
    ExitCode.UNREACHABLE: "Kafka or ClickHouse cannot be reached, or did not confirm in time",
    ExitCode.REFUSED: "refused by a rule about data: an unknown organization, a period too far back, an invalid event",
    ExitCode.DENIED: "Kafka or ClickHouse refused the user or the password",
    ExitCode.FILE: "a file cannot be read or written, or the disk is full",
    ExitCode.BUSY: "a port is taken, or another Tally runs in this folder",
    ExitCode.INTERNAL: "a bug: run again with --debug for the traceback",
    ExitCode.INTERRUPTED: "stopped by Ctrl-C",
}


BUILDING = "Install Tally where there is a C compiler, which builds the compiled backend."


class UserError(Exception):
    """A failure that the user can do something about: what and where, what to do next, and the exit code."""

    def __init__(self, message: str, hint: str = "", exit_code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code

    def line(self) -> str:
        """Return the one line for stderr; line breaks in a server's response become spaces."""
        text = f"{self.message.rstrip('.')}. {self.hint}" if self.hint else self.message
        return printable(" ".join(text.split()))


def printable(text: str) -> str:
    """Return `text` with control characters escaped: an event's bytes must not control a terminal."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


Explanation = Callable[[Any], UserError | None]

_BOOTSTRAP_HOST = re.compile(r"\('([^']+)', (\d+)")
_CLICKHOUSE_URL = re.compile(r"\((https?://[^)]+)\)")
_SYSTEM_REASON = re.compile(r"\[Errno -?\d+\] ([^\")]+)")

_CLICKHOUSE_DENIED = frozenset({192, 193, 194, 497, 516})
_CLICKHOUSE_MISSING = frozenset({60, 81})
_CLICKHOUSE_DISK_FULL = frozenset({243})


def _kafka_away(error: Any) -> UserError:
    hint = "Is it running (`tally up` starts one), and is kafka_bootstrap correct? `tally doctor` has details."
    hosts = ", ".join(f"{host}:{port}" for host, port in _BOOTSTRAP_HOST.findall(str(error)))
    said = f"Kafka at {hosts} cannot be reached" if hosts else f"Kafka cannot be reached: {error}"
    return UserError(said, hint, ExitCode.UNREACHABLE)


def _kafka_denied(error: Any) -> UserError:
    hint = "Check kafka_security_protocol, kafka_sasl_mechanism, kafka_sasl_username and kafka_sasl_password."
    return UserError(f"Kafka refused the login or the permission: {error}", hint, ExitCode.DENIED)


def _kafka_refused(error: Any) -> UserError:
    return UserError(f"Kafka refused the request: {error}", "`tally doctor` has details.", ExitCode.UNREACHABLE)


def _clickhouse_away(error: Any) -> UserError:
    if getattr(error, "code", None):
        return _clickhouse_refused(error)
    hint = "Is it running (`tally up` starts one), and is clickhouse_url correct? `tally doctor` has details."
    text = str(error)
    url, reason = _CLICKHOUSE_URL.search(text), _SYSTEM_REASON.search(text)
    said = reason[1].lower() if reason else _first_line(error)
    return UserError(
        f"ClickHouse{f' at {url[1]}' if url else ''} cannot be reached: {said}", hint, ExitCode.UNREACHABLE
    )


def _clickhouse_refused(error: Any) -> UserError:
    code = getattr(error, "code", None)
    said = _first_line(error)
    if code in _CLICKHOUSE_DENIED:
        hint = "Check clickhouse_user and clickhouse_password."
        return UserError(f"ClickHouse refused the login or the permission: {said}", hint, ExitCode.DENIED)
    if code in _CLICKHOUSE_MISSING:
        hint = "Create the tables of clickhouse_database with `tally migrate`."
        return UserError(f"ClickHouse has no such database or table: {said}", hint, ExitCode.REFUSED)
    if code in _CLICKHOUSE_DISK_FULL:
        return UserError(f"The disk of ClickHouse is full: {said}", "Free some space.", ExitCode.FILE)
    return UserError(f"ClickHouse refused a statement: {said}", "`tally doctor` has details.", ExitCode.UNREACHABLE)


def _undeliverable(error: Any) -> UserError:
    hint = "Is Kafka running, and do the topics exist (`tally topics create`)?"
    return UserError(str(error), hint, ExitCode.UNREACHABLE)


def _invalid_event(error: Any) -> UserError:
    return UserError(str(error), "`tally schema` prints what is valid.", ExitCode.REFUSED)


def _refused(error: Any) -> UserError:
    return UserError(str(error), getattr(error, "hint", ""), ExitCode.REFUSED)


def _file(error: Any) -> UserError:
    return UserError(str(error), getattr(error, "hint", ""), ExitCode.FILE)


def _os_error(error: Any) -> UserError | None:
    if isinstance(error, TimeoutError):
        return None
    place = f" {error.filename}" if error.filename else ""
    said = (error.strerror or str(error)).lower()
    if error.errno == errno.EADDRINUSE:
        hint = "Another program listens there: stop it, or choose another port in the settings."
        return UserError(f"A port is taken: {error}", hint, ExitCode.BUSY)
    if error.errno == errno.ENOSPC:
        return UserError(f"The disk is full{place}", "Free some space and run it again.", ExitCode.FILE)
    if isinstance(error, ConnectionError):
        return UserError(f"A connection failed: {error}", "`tally doctor` has details.", ExitCode.UNREACHABLE)
    if error.filename:
        return UserError(f"Cannot use the file{place}: {said}", "", ExitCode.FILE)
    return None


EXPLANATIONS: dict[str, Explanation] = {
    "tally_client.emitter.UndeliverableEvent": _undeliverable,
    "tally_client.emitter.InvalidEvent": _invalid_event,
    "queries.errors.RefusedError": _refused,
    "files.errors.FileError": _file,
    "sinks.migrations.MigrationChanged": _refused,
    "intake.ndjson.NdjsonError": _refused,
    "deploy.embedded.ports.NotKept": _file,
    "verify.errors.BadRange": lambda error: UserError(str(error), error.hint, ExitCode.USAGE),
    "verify.errors.ReadFailed": lambda error: UserError(str(error), error.hint, ExitCode.UNREACHABLE),
    "deploy.embedded.stack.StackRunning": lambda error: UserError(str(error), exit_code=ExitCode.BUSY),
    "streams.topics.TopicsMissing": _refused,
    "streams.topics.TopicsUnavailable": lambda error: UserError(str(error), exit_code=ExitCode.UNREACHABLE),
    "aiokafka.errors.AuthenticationFailedError": _kafka_denied,
    "aiokafka.errors.UnsupportedSaslMechanismError": _kafka_denied,
    "aiokafka.errors.IllegalSaslStateError": _kafka_denied,
    "aiokafka.errors.SaslAuthenticationFailed": _kafka_denied,
    "aiokafka.errors.TopicAuthorizationFailedError": _kafka_denied,
    "aiokafka.errors.GroupAuthorizationFailedError": _kafka_denied,
    "aiokafka.errors.ClusterAuthorizationFailedError": _kafka_denied,
    "aiokafka.errors.KafkaConnectionError": _kafka_away,
    "aiokafka.errors.KafkaTimeoutError": _kafka_away,
    "aiokafka.errors.NodeNotReadyError": _kafka_away,
    "aiokafka.errors.RequestTimedOutError": _kafka_away,
    "aiokafka.errors.NoBrokersAvailable": _kafka_away,
    "aiokafka.errors.KafkaError": _kafka_refused,
    "clickhouse_connect.driver.exceptions.OperationalError": _clickhouse_away,
    "clickhouse_connect.driver.exceptions.DatabaseError": _clickhouse_refused,
    "urllib3.exceptions.HTTPError": _clickhouse_away,
    "aiohttp.client_exceptions.ClientConnectionError": _clickhouse_away,
    "builtins.OSError": _os_error,
}


def explain(error: BaseException) -> UserError | None:
    """Return the line for `error`, for its cause, or for the first member of a group that has one; None for a bug."""
    for candidate in _family(error):
        if isinstance(candidate, UserError):
            return candidate
        for kind in type(candidate).__mro__:
            found = EXPLANATIONS.get(f"{kind.__module__}.{kind.__qualname__}")
            explanation = found(candidate) if found else None
            if explanation:
                return explanation
    return None


def _family(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error, the errors that it groups, and its causes."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for member in error.exceptions:
                yield from _family(member)
        error = error.__cause__


def _first_line(error: Any) -> str:
    """Return the first line of a server's response, truncated to what a terminal shows."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:400]
