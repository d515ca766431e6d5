"""The topics' specification, and how a difference from it reads."""

from dataclasses import replace

from streams.topics import ExistingTopic, TopicSpec, differences, topic_specs
from tally_client.events import DEAD_LETTERS, EVENTS_BY_TOPIC, PROFILES


def spec(name: str) -> TopicSpec:
    return next(each for each in topic_specs(4) if each.name == name)


def test_every_topic_of_events_has_a_specification_and_so_have_the_dead_letters() -> None:
    assert [each.name for each in topic_specs()] == [*EVENTS_BY_TOPIC, DEAD_LETTERS]


def test_log_time_is_the_brokers_everywhere() -> None:
    assert {each.config["message.timestamp.type"] for each in topic_specs()} == {"LogAppendTime"}


def test_history_is_kept_for_ever_and_only_profiles_and_dead_letters_are_compacted() -> None:
    for each in topic_specs():
        compacted = each.name in (PROFILES, DEAD_LETTERS)
        assert each.config["cleanup.policy"] == ("compact" if compacted else "delete")
        assert compacted or each.config["retention.ms"] == "-1"


def test_a_dead_letter_fits_where_its_event_fitted() -> None:
    largest = max(int(each.config["max.message.bytes"]) for each in topic_specs() if each.name != DEAD_LETTERS)
    assert int(spec(DEAD_LETTERS).config["max.message.bytes"]) > 2 * largest


def test_partitions_are_the_settings_for_events() -> None:
    assert {each.partitions for each in topic_specs(7) if each.name != DEAD_LETTERS} == {7}


def test_what_is_as_it_should_be_has_no_differences() -> None:
    for each in topic_specs():
        assert differences(each, ExistingTopic(each.partitions, each.config)) == []


def test_each_difference_is_a_line_with_both_values() -> None:
    wanted = spec("tally.token")
    existing = ExistingTopic(3, {**wanted.config, "retention.ms": "604800000"})
    partitions, retention = differences(wanted, existing)
    assert "tally.token has partitions=3, but the setting is 4" in partitions
    assert "retention.ms=604800000, but it should be -1" in retention


def test_a_config_that_the_broker_does_not_tell_is_no_difference() -> None:
    wanted = replace(spec("tally.token"), config={"unheard.of": "1"})
    assert differences(wanted, ExistingTopic(4, {})) == []
