"""The duplicate horizon, written a second time: which events are remembered, and for how long."""

from collections import deque

Identity = tuple[str, str, str]
"""(organization, type, event_id) of an event: records with the same three are the same event."""

Occurrences = dict[bytes, int]
"""The digests of an event's payloads, each with the last offset at which it occurs."""


class Horizon:
    """The payloads and offsets of each event in the current block and the blocks before it, within the horizon."""

    def __init__(self, block_size: int, blocks: int) -> None:
        self._block_size = block_size
        self._blocks = blocks
        self._seen: deque[tuple[int, dict[Identity, Occurrences]]] = deque()

    def renew(self, identity: Identity, offset: int, digest: bytes) -> Occurrences:
        """Return the occurrences before this one, and add this one."""
        block = offset // self._block_size
        if not self._seen or self._seen[-1][0] != block:
            self._seen.append((block, {}))
        while self._seen[0][0] < block - self._blocks:
            self._seen.popleft()
        earlier: Occurrences = {}
        for _, seen in self._seen:
            earlier |= seen.get(identity, {})
        self._seen[-1][1].setdefault(identity, {})[digest] = offset
        return earlier
