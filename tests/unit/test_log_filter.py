"""What a worker's log keeps back while a server is away."""

import logging

from worker.log_filter import RateLimitFilter


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def written(held: RateLimitFilter, name: str, text: str, *args: object, level: int = logging.ERROR) -> str | None:
    """The line as it is written, or None."""
    record = logging.LogRecord(name, level, __file__, 1, text, args, None)
    return record.getMessage() if held.filter(record) else None


def test_a_library_says_the_same_once_in_ten_seconds_and_how_often_it_did() -> None:
    clock = Clock()
    held = RateLimitFilter(10.0, clock)
    assert written(held, "aiokafka", "no node %s", 1) == "no node 1"
    clock.now = 9.9
    assert [written(held, "aiokafka", "no node %s", each) for each in (1, 2, 3)] == [None] * 3
    clock.now = 10.0
    assert written(held, "aiokafka", "no node %s", 4) == "no node 4 (and 3 more like it)"
    clock.now = 20.0
    assert written(held, "aiokafka", "no node %s", 5) == "no node 5"


def test_other_lines_are_not_held_back_by_it() -> None:
    held = RateLimitFilter(10.0, Clock())
    assert written(held, "aiokafka", "a") == "a"
    assert written(held, "aiokafka", "b") == "b"
    assert written(held, "aiokafka.cluster", "a") == "a"
    assert written(held, "aiokafka", "a", level=logging.WARNING) == "a"


def test_lines_of_tally_and_tracebacks_always_get_through() -> None:
    held = RateLimitFilter(10.0, Clock())
    assert [written(held, "tally.sources", "stopped") for _ in range(3)] == ["stopped"] * 3
    assert [written(held, "faust", "joined", level=logging.INFO) for _ in range(3)] == ["joined"] * 3
    record = logging.LogRecord("aiokafka", logging.ERROR, __file__, 1, "crash", (), (ValueError, ValueError(), None))
    assert [held.filter(record) for _ in range(3)] == [True] * 3
