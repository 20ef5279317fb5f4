"""Ways of events from topic to topic."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from runtime.services.alert.routes import TopicRoutes

TOPICS = st.sampled_from("abcdef")
EDGES = st.lists(st.tuples(TOPICS, st.lists(TOPICS, max_size=3)), max_size=12)


def reached(edges, first):
    """All topics that events get to, by the plainest of means."""
    found = set(first)
    while True:
        more = {t for topic, targets in edges if topic in found for t in targets}
        if more <= found:
            return found
        found |= more


@given(EDGES, TOPICS, st.lists(TOPICS, max_size=3), st.data())
def test_a_way_back_is_found_if_there_is_one(edges, topic, first, data):
    routes = TopicRoutes()
    for number, (source, targets) in enumerate(edges):
        routes.add(source, f"h{number}", tuple(targets))
    gone = data.draw(st.sets(st.sampled_from(range(len(edges))))) if edges else set()
    for number in gone:
        routes.remove(edges[number][0], f"h{number}")
    left = [each for number, each in enumerate(edges) if number not in gone]
    way = routes.way_back(topic, first)
    assert bool(way) == (topic in reached(left, first))
    if way:
        assert way[0] == way[-1] == topic
        assert way[1] in first
        for source, target in pairwise(way[1:]):
            assert any(each == source and target in to for each, to in left)


class Counted(TopicRoutes):
    """Counts what a search looks at."""

    looked = 0

    def _targets_of(self, topic):
        self.looked += 1
        return super()._targets_of(topic)


def test_a_handler_at_the_edge_of_many_costs_no_more_than_the_first():
    for makes in (
        lambda n: (f"t{n}", f"t{n + 1}"),
        lambda n: (f"t{9999 - n}", f"t{10_000 - n}"),
        lambda n: (f"t{n}", "all"),
        lambda n: ("one", f"t{n}"),
    ):
        routes = Counted()
        for number in range(2000):
            topic, target = makes(number)
            assert routes.way_back(topic, [target]) == []
            routes.add(topic, f"h{number}", (target,))
        assert routes.looked <= 4000
