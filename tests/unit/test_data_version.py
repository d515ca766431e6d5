"""What the digests of a state tell apart."""

from datetime import date

from queries.data_version import NO_DAY, DataVersion, Kinds

FIRST, SECOND, THIRD = (date(2026, 11, day) for day in (1, 2, 3))
CHAT = {"chat": ("rows", "offsets")}
USUAL: dict[date, Kinds] = {NO_DAY: {"epochs": ("e", "e")}, FIRST: CHAT, SECOND: CHAT, THIRD: CHAT}


def state(changed: dict[date, Kinds]) -> DataVersion:
    return DataVersion({**USUAL, **changed})


def test_an_answer_is_of_the_days_up_to_the_last_and_of_what_has_no_day() -> None:
    usual = DataVersion(USUAL).digest_until(SECOND)
    assert state({THIRD: {"chat": ("other", "other")}}).digest_until(SECOND) == usual
    for day in (NO_DAY, FIRST, SECOND):
        assert state({day: {"chat": ("other", "offsets")}}).digest_until(SECOND) != usual
    assert DataVersion({day: kinds for day, kinds in USUAL.items() if day != FIRST}).digest_until(SECOND) != usual


def test_an_answer_that_is_made_of_some_kinds_is_of_these_alone() -> None:
    usual = DataVersion(USUAL).digest_until(SECOND, {"chat", "epochs"})
    named = state({NO_DAY: {"epochs": ("e", "e"), "profiles": ("new", "new")}, FIRST: {**CHAT, "file": ("r", "o")}})
    assert named.digest_until(SECOND, {"chat", "epochs"}) == usual
    assert named.digest_until(SECOND) != DataVersion(USUAL).digest_until(SECOND)
    for day in (NO_DAY, FIRST):
        assert (
            state({day: {"chat": ("other", "o"), "epochs": ("o", "o")}}).digest_until(SECOND, {"chat", "epochs"})
            != usual
        )


def test_a_day_is_its_cells_and_the_epochs_that_count() -> None:
    usual = DataVersion(USUAL).digest_of_day(SECOND)
    assert state({FIRST: {}, NO_DAY: {"epochs": ("e", "e"), "profiles": ("new", "new")}}).digest_of_day(SECOND) == usual
    assert state({SECOND: {**CHAT, "file": ("r", "o")}}).digest_of_day(SECOND) != usual
    assert state({NO_DAY: {"epochs": ("replaced", "replaced")}}).digest_of_day(SECOND) != usual
    assert state({SECOND: {}}).digest_of_day(SECOND) != usual


def test_a_stamp_tells_writing_and_not_merging() -> None:
    usual = DataVersion(USUAL).revision_hash(FIRST, SECOND)
    assert state({SECOND: {"chat": ("merged", "offsets")}, THIRD: {}}).revision_hash(FIRST, SECOND) == usual
    assert state({SECOND: {"chat": ("rows", "written")}}).revision_hash(FIRST, SECOND) != usual
    assert state({NO_DAY: {"epochs": ("e", "replaced")}}).revision_hash(FIRST, SECOND) != usual


def test_a_stamp_is_of_what_else_is_asked_for() -> None:
    dearer = state({NO_DAY: {"epochs": ("e", "e"), "prices": ("p", "p")}})
    assert dearer.revision_hash(FIRST, SECOND) == DataVersion(USUAL).revision_hash(FIRST, SECOND)
    assert dearer.revision_hash(FIRST, SECOND, "prices") != DataVersion(USUAL).revision_hash(FIRST, SECOND, "prices")


def test_days_are_those_with_cells() -> None:
    assert DataVersion(USUAL).days == [FIRST, SECOND, THIRD]
