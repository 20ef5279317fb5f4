"""The texts of events: defaults equal to their templates, and no lost texts."""

import itertools
import math
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runtime.alert.types import Level
from runtime.nodes.alert.templates import AlertTemplates, Occurrence, Origin
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


def templates(reported, **properties):
    environment = Environment("tä'sk", server_info=ServerInfo("h<o>st", "c", "s"))
    return AlertTemplates(
        AlertNode(**properties),
        environment,
        has_topic=True,
        report=lambda message, error: reported.append(f"{message}: {error}"),
    )


@example("m", "", {}, {"v": math.nan}, 0)
@example("m", "", {}, {"v": 1e21, "w": 1e-7, "x": True}, 1_500_000_000)
@given(
    names,
    names,
    st.dictionaries(names, names, max_size=3),
    st.dictionaries(names, values, max_size=3),
    st.integers(-(2**62), 2**62),
)
def test_the_defaults_are_what_their_templates_give(name, group, tags, fields, at):
    # blanks inside the actions keep the shortcuts from being taken
    slow = templates(
        [],
        id="{{.Name}}:{{.Group}}",
        message="{{.ID}} is {{.Level}}",
        details="{{json .}}",
    )
    fast = templates([])
    origin = Origin(name, group, tags)
    event_id = fast.id(origin)
    assert event_id == slow.id(origin)
    occurrence = Occurrence(event_id, fields, Level.WARNING, at, Duration(at))
    assert fast.texts(origin, occurrence) == slow.texts(origin, occurrence)


MALICIOUS = "{{ range $i := 1000000000 }}x{{ end }}"
DOUBLING = "{{ $x := `ab` }}" + "{{ $x = print $x $x }}" * 40 + "{{ $x }}"
LONG = "{{ printf `%1000000d` 1 }}{{ printf `%1000000d` 1 }}"
TREE = (
    "{{ define `a` }}{{ end }}"
    + "".join(
        f"{{{{ define `{b}` }}}}{{{{ template `{a}` }}}}{{{{ template `{a}` }}}}"
        "{{ end }}"
        for a, b in itertools.pairwise("abcdefghijklmnopqrstuvwxyzABCDEFG")
    )
    + "{{ template `G` }}"
)
ORIGIN = Origin("m", "h=a", {"h": "a"})


def happened(event_id="m:h=a", **fields):
    return Occurrence(event_id, fields, Level.CRITICAL, 0, Duration(0))


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (
            "{{ if gt (index .Fields `v`) 5 }}x{{ end }}",
            "incompatible types for compar",
        ),
        ("{{ index .Fields 5 }}", "value has type int; should be string"),
        ("{{ .Fields.v.w }}", "can't evaluate field w in type interface {}"),
        ("{{ range .Fields.v }}{{ end }}", "range can't iterate over 9.5"),
        ("{{ slice .ID 99 }}", "error calling slice: index out of range: 99"),
        ("{{ .Time.Add `x` }}", "error calling Add: "),
        (MALICIOUS, "the template takes too much work"),
        (DOUBLING, "the template takes too much work"),
        (LONG, "the text is longer than 1048576 characters"),
        (
            "{{ printf `" + "%1000000s" * 20 + "`" + " .ID" * 20 + " }}",
            "the widths of its verbs are too",
        ),
    ],
)
def test_a_text_that_cannot_be_made_is_replaced_by_one_that_says_so(template, reason):
    reported = []
    made = templates(reported, message=template, details=f"<b>{template}</b>")
    started = time.thread_time()
    message, details = made.texts(ORIGIN, happened(v=9.5))
    assert time.thread_time() - started < 2
    assert message.startswith("m:h=a is CRITICAL (template: message:")
    assert reason in message
    assert details.startswith("m:h=a is CRITICAL (template: message:")
    assert len(details) < 2000
    assert [reason in each for each in reported] == [True, True]


def test_templates_that_call_each_other_end():
    message, _ = templates([], message=TREE).texts(ORIGIN, happened())
    assert message.endswith("the template takes too much work)")


def test_what_is_printed_of_odd_values_is_what_go_prints():
    source = "{{ index .Tags `no` }}|{{ .Fields.no }}|{{ printf `%d` .Fields.v }}"
    reported = []
    made = templates(reported, message=source)
    assert made.texts(ORIGIN, happened(v=9.5))[0] == "|<no value>|%!d(float64=9.5)"
    assert reported == []


@pytest.mark.parametrize("template", ["", "{{ index .Tags `no` }}"])
def test_no_id_is_empty(template):
    reported = []
    assert templates(reported, id=template).id(ORIGIN) == "m:h=a"
    assert reported == ["the id of an event is empty: m:h=a is used"]


def test_an_id_that_fails_is_the_default_one():
    reported = []
    assert templates(reported, id="{{ slice .Name 5 }}").id(ORIGIN) == "m:h=a"
    assert "index out of range: 5" in reported[0]


def test_long_ids_are_cut_and_stay_different():
    made = templates([], id="{{ index .Tags `h` }}")
    ids = {
        made.id(Origin("m", "h", {"h": "x" * 10_000 + end})) for end in ("a", "b", "b")
    }
    assert len(ids) == 2
    assert {len(each) for each in ids} == {4096}
    assert made.id(Origin("m", "h", {"h": "x" * 4096})) == "x" * 4096


def test_a_message_may_be_long():
    made = templates([], message="{{ index .Fields `v` }}{{ range 10000 }}.{{ end }}")
    assert len(made.texts(ORIGIN, happened(v="x" * 1_000_000))[0]) == 1_010_000
