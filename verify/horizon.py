"""The horizon of duplicates, written down a second time: which events are remembered, and for how long."""

from collections import deque

Identity = tuple[str, str, str]
"""(organization, type, event_id) of an event: the same three are the same event."""

Occurrences = dict[bytes, int]
"""The digests of an event's bytes, each with the last offset at which it stands so."""


class Horizon:
    """Where each event stood, and with which bytes: in the block that is read and in those before it."""

    def __init__(self, block_size: int, blocks: int) -> None:
        self._block_size = block_size
        self._blocks = blocks
        self._seen: deque[tuple[int, dict[Identity, Occurrences]]] = deque()

    def renew(self, identity: Identity, offset: int, digest: bytes) -> Occurrences:
        """The occurrences before this one, which is one of them from now on."""
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
