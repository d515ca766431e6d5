"""How often somebody may ask: a moving window of a minute; of an organization over all its keys and people."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.errors import RateLimited


class RateLimiter:
    """Counts requests of each organization, or refusals of each address, in this process."""

    def __init__(self, requests_a_minute: int) -> None:
        self.requests_a_minute = requests_a_minute
        self._item = RateLimitItemPerMinute(requests_a_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def acquire(self, whose: str) -> None:
        """Count one request. Raises RateLimited when the minute is full."""
        if not self.count(whose):
            raise self.too_many(whose, f"More than {self.requests_a_minute} requests in a minute.")

    def count(self, whose: str) -> bool:
        """Count one, unless the minute is full; whether there was room."""
        return self._limiter.hit(self._item, whose)

    def is_full(self, whose: str) -> bool:
        """Whether there is no room for one more."""
        return not self._limiter.test(self._item, whose)

    def too_many(self, whose: str, said: str) -> RateLimited:
        """The refusal, with the seconds until there is room."""
        reset_time, _ = self._limiter.get_window_stats(self._item, whose)
        wait = max(1, math.ceil(reset_time - time.time()))
        return RateLimited(f"{said} Try again in {wait} s.", wait)
