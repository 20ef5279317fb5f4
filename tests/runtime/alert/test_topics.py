import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.alert.topics import Topic, Topics
from runtime.alert.types import Event, EventState, Level
from runtime.golang.glob import PatternError

OK, INFO, WARNING, CRITICAL = Level


def event(topic, event_id, level):
    return Event(topic, EventState(event_id, level=level))


def collect(topics, topic, *changes):
    return [
        topics.collect(event(topic, event_id, level)).previous_level
        for event_id, level in changes
    ]


def test_an_event_gets_the_level_its_id_had_on_that_topic():
    topics = Topics()
    assert collect(topics, "t", ("a", CRITICAL), ("b", INFO), ("a", OK)) == [
        OK,
        OK,
        CRITICAL,
    ]
    assert collect(topics, "u", ("a", WARNING)) == [OK]


def test_a_topic_is_as_bad_as_its_worst_event():
    topics = Topics()
    collect(topics, "t", ("b", CRITICAL), ("a", OK), ("c", WARNING))
    topic = topics.get("t")
    assert topic.level is CRITICAL
    assert [state.id for state in topic.at_least(WARNING)] == ["b", "c"]
    assert topic.collected == 3


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(Level))))
def test_level_and_filters_are_right_after_any_history(changes):
    topic, expected = Topic("t"), {}
    for event_id, level in changes:
        topic.put(EventState(event_id, level=level))
        expected[event_id] = level
    assert topic.level == max(expected.values(), default=OK)
    for level in Level:
        found = {state.id for state in topic.at_least(level)}
        assert found == {each for each, value in expected.items() if value >= level}


def test_topics_are_found_by_pattern_and_level():
    topics = Topics()
    for topic, level in (("b", CRITICAL), ("a1", INFO), ("a2", OK)):
        collect(topics, topic, ("x", level))

    def found(pattern, level):
        return [topic.id for topic in topics.matching(pattern, level)]

    assert found("", OK) == ["a1", "a2", "b"]
    assert found("a*", INFO) == ["a1"]
    with pytest.raises(PatternError):
        Topics().matching("[", OK)


@pytest.mark.parametrize(
    ("text", "level"),
    [("", OK), ("ok", OK), ("warn", WARNING), ("CRITICAL", CRITICAL), ("i", INFO)],
)
def test_levels_are_parsed_from_their_beginning(text, level):
    assert Level.parse(text) is level


def test_an_unknown_level_is_named_in_capitals():
    with pytest.raises(ValueError, match="unknown alert level 'BOGUS'"):
        Level.parse("bogus")
