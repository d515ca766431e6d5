"""A concurrent reader: no total that is open ever falls, none that is closed ever moves, and none is too large."""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from clickhouse_connect.driver.exceptions import ClickHouseError

from deploy.connections import report_client
from deploy.settings import Settings

QUERY = """
SELECT toString(organization_id), sum(requests), sum(output_tokens), sum(uncached_input_tokens)
FROM spend_cells FINAL GROUP BY organization_id
"""

Totals = tuple[int, ...]
"""(requests, output tokens, uncached input tokens)"""


class Watch:
    """Judges what a reader sees of organizations' totals. `finals`: what those that are emitted whole must come to."""

    def __init__(self) -> None:
        self.wrongs: list[str] = []
        self.looks = 0
        self.seen: dict[str, Totals] = {}

    def saw(self, rows: Iterable[tuple[Any, ...]], finals: Mapping[str, Totals]) -> None:
        """One answer of ClickHouse."""
        self.looks += 1
        found = {organization: tuple(totals) for organization, *totals in rows}
        for organization, before in self.seen.items():
            now = found.get(organization, (0,) * len(before))
            if any(new < old for new, old in zip(now, before, strict=True)):
                self.wrongs.append(f"{organization} fell from {before} to {now}")
        for organization, final in finals.items():
            if any(new > most for new, most in zip(found.get(organization, ()), final, strict=False)):
                self.wrongs.append(f"{organization} is {found[organization]}, its log gives {final}")
        self.seen.update(found)

    def unequal(self, finals: Mapping[str, Totals]) -> dict[str, Totals | None]:
        """Which of these are not what they must come to, as they were seen last."""
        return {name: self.seen.get(name) for name, final in finals.items() if self.seen.get(name) != final}


class Reader(threading.Thread):
    """Looks again and again, whatever happens to ClickHouse meanwhile. `finals` grows while it runs."""

    def __init__(self, settings: Settings, finals: Mapping[str, Totals], pause: float = 0.4) -> None:
        super().__init__(name="reader", daemon=True)
        self.watch = Watch()
        self._settings = settings
        self._finals = finals
        self._pause = pause
        self._ended = threading.Event()
        self.start()

    def run(self) -> None:
        """Until `end`."""
        while not self._ended.wait(self._pause):
            self.look()

    def look(self) -> None:
        """Once; nothing is seen while ClickHouse is away. What is final was so before it was asked."""
        finals = dict(self._finals)
        try:
            client = report_client(self._settings)
        except (ClickHouseError, OSError):
            return
        try:
            self.watch.saw(client.query(QUERY).result_rows, finals)
        except (ClickHouseError, OSError):
            return
        finally:
            client.close()

    def end(self) -> None:
        """Stop, and look a last time."""
        self._ended.set()
        self.join()
        self.look()
