"""Who somebody is: many at once, and remembered until it changes."""

from collections.abc import Iterator

import pytest

from reports import metrics
from reports.metric_windows import window
from tests.support.fold_records import uuid
from tests.support.folded_tables import Folded
from tests.support.handwritten_events import ADA, BEN, DAY, ORGANIZATION, entry, profile
from tests.support.table_rows import database


@pytest.fixture
def folded(clickhouse: str) -> Iterator[Folded]:
    client = database(clickhouse)
    yield Folded(client)
    client.close()


def test_many_people_are_named_at_once(folded: Folded) -> None:
    everybody = [uuid(0xF000 + number) for number in range(450)]
    folded.say(*(profile(person, f"P{number}") for number, person in enumerate(everybody)))
    known = metrics.name_people(folded.look(ORGANIZATION), [*everybody, *everybody[:9], ADA])
    assert [known[person].name for person in everybody] == [f"P{number}" for number in range(450)]
    assert (len(known), known[ADA].name) == (451, None)


def test_who_somebody_is_changes_at_once(folded: Folded) -> None:
    """Names are remembered, until a profile or the directory says otherwise."""

    def named() -> tuple[str | None, str | None]:
        person = metrics.person_of(folded.look(ORGANIZATION), window("1-week", DAY), ADA)
        assert person is not None
        return person.name, person.email

    folded.say(entry("member.joined", account_id=ADA, role="admin"), profile(ADA, "Ada"))
    assert named() == named() == ("Ada", "ada@example.com")
    folded.say(profile(ADA, "Ada-Lou"))
    assert named() == ("Ada-Lou", "ada-lou@example.com")
    folded.say(profile(BEN, "Ben"))
    assert metrics.person_of(folded.look(ORGANIZATION), window("1-week", DAY), BEN) is None
    folded.say(entry("member.joined", account_id=BEN, role="admin"))
    assert metrics.person_of(folded.look(ORGANIZATION), window("1-week", DAY), BEN) is not None
    folded.say(entry("tombstone", account_id=ADA))
    assert named() == ("Deleted user", None)
