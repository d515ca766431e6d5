"""How often an organization may ask: a moving window of a minute, over all its keys and endpoints."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.errors import TooMany


class Rates:
    """Counts requests of each organization in this process."""

    def __init__(self, requests_a_minute: int) -> None:
        self.requests_a_minute = requests_a_minute
        self._item = RateLimitItemPerMinute(requests_a_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, organization_id: str) -> None:
        """Count one request. Raises TooMany, with the seconds until there is room, when the minute is full."""
        if self._limiter.hit(self._item, organization_id):
            return
        reset_time, _ = self._limiter.get_window_stats(self._item, organization_id)
        wait = max(1, math.ceil(reset_time - time.time()))
        message = f"More than {self.requests_a_minute} requests in a minute. Try again in {wait} s."
        raise TooMany(message, wait)
