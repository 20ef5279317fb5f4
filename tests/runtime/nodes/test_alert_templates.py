"""The default texts are those that their templates give."""

import math

from hypothesis import example, given
from hypothesis import strategies as st

from runtime.alert.types import Level
from runtime.nodes.alert_templates import Occurrence, Origin, Templates
from runtime.nodes.environment import Environment, ServerInfo
from runtime.pipeline.alert import AlertNode
from runtime.units import Duration

names = st.text(max_size=8)
values = st.one_of(
    st.text(max_size=8),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
)


def templates(**properties):
    environment = Environment("tä'sk", server_info=ServerInfo("h<o>st", "c", "s"))
    return Templates(AlertNode(**properties), environment, has_topic=True)


@example("m", "", {}, {"v": math.nan}, 0)
@example("m", "", {}, {"v": 1e21, "w": 1e-7, "x": True}, 1_500_000_000)
@given(
    names,
    names,
    st.dictionaries(names, names, max_size=3),
    st.dictionaries(names, values, max_size=3),
    st.integers(-(2**62), 2**62),
)
def test_the_defaults_are_what_their_templates_give(name, group, tags, fields, time):
    # blanks inside the actions keep the shortcuts from being taken
    slow = templates(
        id="{{.Name}}:{{.Group}}", message="{{.ID}} is {{.Level}}", details="{{json .}}"
    )
    fast = templates()
    origin = Origin(name, group, tags)
    event_id = fast.id(origin)
    assert event_id == slow.id(origin)
    happened = Occurrence(event_id, fields, Level.WARNING, time, Duration(time))
    assert fast.texts(origin, happened) == slow.texts(origin, happened)
