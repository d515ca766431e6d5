"""How often somebody may ask: a moving window of a minute; of an organization over all its keys and people."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.errors import TooMany


class Rates:
    """Counts requests of each organization, or attempts of each address, in this process."""

    def __init__(self, requests_a_minute: int) -> None:
        self.requests_a_minute = requests_a_minute
        self._item = RateLimitItemPerMinute(requests_a_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, whose: str) -> None:
        """Count one request. Raises TooMany, with the seconds until there is room, when the minute is full."""
        if self._limiter.hit(self._item, whose):
            return
        reset_time, _ = self._limiter.get_window_stats(self._item, whose)
        wait = max(1, math.ceil(reset_time - time.time()))
        message = f"More than {self.requests_a_minute} requests in a minute. Try again in {wait} s."
        raise TooMany(message, wait)
