"""Rate limits over a moving window of a minute; an organization's keys share one limit."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.errors import RateLimited


class RateLimiter:
    """Counts requests per organization or person, or refusals per address, in this process."""

    def __init__(self, requests_a_minute: int) -> None:
        self.requests_a_minute = requests_a_minute
        self._item = RateLimitItemPerMinute(requests_a_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def acquire(self, whose: str) -> None:
        """Count one request. Raises RateLimited if the limit is reached."""
        if not self.count(whose):
            raise self.too_many(whose, f"More than {self.requests_a_minute} requests in a minute.")

    def count(self, whose: str) -> bool:
        """Count one, unless the limit is reached; return True if it was counted."""
        return self._limiter.hit(self._item, whose)

    def is_full(self, whose: str) -> bool:
        """Return True if the limit is reached."""
        return not self._limiter.test(self._item, whose)

    def too_many(self, whose: str, said: str) -> RateLimited:
        """Return the error, with the seconds until the next request is allowed."""
        reset_time, _ = self._limiter.get_window_stats(self._item, whose)
        wait = max(1, math.ceil(reset_time - time.time()))
        return RateLimited(f"{said} Try again in {wait} s.", wait)
