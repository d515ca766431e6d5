"""Which sources a verification can recount, and how far the tables are behind."""

from verify.snapshot import Snapshot

CHAT, PROFILES = ("tally.chat", 0), ("tally.profiles", 0)


def test_sources_bear_the_epoch_of_their_topic() -> None:
    taken = Snapshot({}, {CHAT: (0, 0), PROFILES: (0, 0)}, {}, {"tally.chat": 2})
    assert taken.sources == {"tally.chat/0@2": CHAT, "tally.profiles/0@0": PROFILES}


def test_a_log_that_lost_its_beginning_cannot_be_recounted_but_a_compacted_one_can() -> None:
    bounds = {CHAT: (5, 9), PROFILES: (5, 9)}
    taken = Snapshot({"tally.chat/0@0": 9, "tally.profiles/0@0": 9}, bounds, bounds, {})
    assert list(taken.lost()) == ["tally.chat/0@0"]
    assert taken.reached() == {"tally.profiles/0@0": 9}
    assert not taken.is_whole()


def test_behind_is_told_against_the_awaited_end_and_whole_against_the_present_one() -> None:
    taken = Snapshot({"tally.chat/0@0": 7}, {CHAT: (0, 9)}, {CHAT: (0, 7)}, {})
    assert taken.behind() == {}
    assert not taken.is_whole()
    assert Snapshot({}, {CHAT: (0, 9)}, {CHAT: (0, 7)}, {}).behind() == {"tally.chat/0@0": 7}


def test_a_position_beyond_the_end_is_told() -> None:
    taken = Snapshot({"tally.chat/0@0": 70}, {CHAT: (0, 9)}, {CHAT: (0, 9)}, {})
    assert "position is 70, but its log ends at 9" in taken.lost()["tally.chat/0@0"]
