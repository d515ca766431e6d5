"""The horizon of duplicates, written down a second time: which event_ids are remembered, and for how long."""

from collections import deque


class Horizon:
    """Where each event_id stood last, and with which bytes: in the block that is read and in those before it."""

    def __init__(self, block_size: int, blocks: int) -> None:
        self._block_size = block_size
        self._blocks = blocks
        self._seen: deque[tuple[int, dict[str, tuple[int, bytes]]]] = deque()

    def renew(self, event_id: str, offset: int, digest: bytes) -> tuple[int, bytes] | None:
        """The last occurrence before this one, which is the last one from now on."""
        block = offset // self._block_size
        if not self._seen or self._seen[-1][0] != block:
            self._seen.append((block, {}))
        while self._seen[0][0] < block - self._blocks:
            self._seen.popleft()
        earlier = next((seen[event_id] for _, seen in reversed(self._seen) if event_id in seen), None)
        self._seen[-1][1][event_id] = offset, digest
        return earlier
