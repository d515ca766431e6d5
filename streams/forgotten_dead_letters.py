"""Dead letters of people who were forgotten later: a letter contains a record's bytes, and so possibly a name.

A tombstone cannot reach the letters where they are, and a replay would write them after the tombstone in the log.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from streams.dead_letters import DeadLetter
from streams.log import KafkaLog
from tally_client.emitter import Emitter
from tally_client.events import DEAD_LETTERS, PROFILES


async def forgettings(bootstrap: str, options: Mapping[str, Any] | None = None) -> dict[bytes, int]:
    """Return when each account was last forgotten, in milliseconds of log time, from the tombstones of
    `tally.profiles`."""
    found: dict[bytes, int] = {}
    async with KafkaLog(bootstrap, options) as log:
        async for record in log.read_all(await log.bounds(await log.partitions([PROFILES]))):
            if record.value is None and record.key is not None:
                found[record.key] = max(record.timestamp, found.get(record.key, 0))
    return found


async def take_forgotten_away(
    emitter: Emitter, letters: Iterable[DeadLetter], forgotten: Mapping[bytes, int]
) -> list[DeadLetter]:
    """Remove the letters about people who were forgotten after the letter's record arrived, and return the remaining
    letters."""
    others: list[DeadLetter] = []
    for letter in letters:
        is_profile = letter.topic == PROFILES and letter.value is not None
        if is_profile and any(forgotten.get(key, -1) >= letter.timestamp_ms for key in _accounts_of(letter)):
            await emitter.emit_raw(DEAD_LETTERS, letter.location.encode(), None)
        else:
            others.append(letter)
    await emitter.flush()
    return others


def _accounts_of(letter: DeadLetter) -> set[bytes]:
    """Return the accounts that a letter of a profile may be about, from its key and its value."""
    try:
        said = msgspec.json.decode(letter.value or b"", type=_Account).account_id.encode()
    except (msgspec.MsgspecError, UnicodeError):
        said = b""
    return {letter.key or b"", said}


class _Account(msgspec.Struct):
    account_id: str = ""
