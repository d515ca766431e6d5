"""Clients that ask an HTTP server at once, by locust: reads what to ask as JSON, prints how long each answer took.

In: {"base_url", "headers", "clients", "seconds", "questions": [[name, path, [[parameter, value], ...]], ...]}.
Each client asks the next question when it has the answer to its last. Out: {name: [milliseconds, ...]}. Imports nothing
of Tally.
"""

import json
import sys
from collections import defaultdict, deque
from typing import Any
from urllib.parse import urlencode

import gevent
from locust import HttpUser, constant, task
from locust.env import Environment
from locust.exception import StopUser

ACCEPTED = (200, 503)
"""An answer that passed its deadline counts with the time after which it was given up."""


def main(asked: dict[str, Any]) -> None:
    """Ask everything once, and say what it took."""
    waiting, times, finished = deque(asked["questions"]), defaultdict(list), []

    class Client(HttpUser):
        wait_time = constant(0)
        host = asked["base_url"]

        @task
        def ask(self) -> None:
            if not waiting:
                finished.append(self)
                raise StopUser
            name, path, parameters = waiting.popleft()
            url = f"{path}?{urlencode([tuple(pair) for pair in parameters])}"
            with self.client.get(
                url, headers=asked["headers"], name=name, timeout=asked["seconds"], catch_response=True
            ) as found:
                if found.status_code in ACCEPTED:
                    found.success()

    def note(name: str, response_time: float, exception: Exception | None, **_: Any) -> None:
        if exception is None:
            times[name].append(response_time)

    environment = Environment(user_classes=[Client])
    environment.events.request.add_listener(note)
    runner = environment.create_local_runner()
    runner.start(asked["clients"], spawn_rate=asked["clients"])
    while len(finished) < asked["clients"]:
        gevent.sleep(0.05)
    runner.quit()
    if missing := len(asked["questions"]) - sum(map(len, times.values())):
        raise SystemExit(f"{missing} questions were not answered: {environment.stats.errors}")
    print(json.dumps(times))


if __name__ == "__main__":
    main(json.load(sys.stdin))
