"""Lines of TOML keys, compared with tomllib on generated documents."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.toml_lines import positions

CHARACTERS = st.text(st.sampled_from("ab'\"\\\n#=[]{},. é\t"), max_size=8)


def literal(text):
    return f"'''\n{text}'''"


def basic(text):
    return f'"""{text}"""'


def quoted(text):
    return f'"{text}"'


# texts that tomllib refuses are dropped below
STRINGS = st.builds(
    lambda form, text: form(text), st.sampled_from([literal, basic, quoted]), CHARACTERS
)
SCALARS = STRINGS | st.sampled_from(
    ["1", "-1.5e3", "true", "inf", "2024-01-01T10:00:00Z", "2024-01-01 10:00:00", "''"]
)
ENDS = st.sampled_from(["", " ", "  # ' \" [", "\t#"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]"),
        st.lists(inner, max_size=3).map(lambda items: "[\n" + ",\n".join(items) + "]"),
        st.lists(inner, max_size=2).map(
            lambda items: "{"
            + ", ".join(f"k{n} = {each}" for n, each in enumerate(items))
            + "}"
        ),
    ),
    max_leaves=4,
)


def is_toml(text):
    try:
        tomllib.loads(text)
    except ValueError:
        return False
    return True


@given(
    st.lists(st.tuples(VALUES, ENDS), min_size=1, max_size=5),
    st.sampled_from(["\n", "\r\n"]),
)
def test_every_key_has_its_line(values, line_end):
    text, wanted = "", {}
    for number, (value, end) in enumerate(values):
        entry = f"key{number} = {value}{end}\n"
        if is_toml(entry):
            wanted[(f"key{number}",)] = text.count("\n") + 1
            text += entry
    found = positions(text.replace("\n", line_end)).lines
    assert {path: line for path, line in found.items() if len(path) == 1} == wanted


@pytest.mark.parametrize("value", ["'''a''''", "''''''''", '"""a"""""', '"""\\""""'])
def test_quotes_may_end_a_string_in_triple_quotes(value):
    assert positions(f"a = {value}\nb = 1\n").lines == {("a",): 1, ("b",): 2}


@pytest.mark.parametrize("value", ["[1, 2", "{a = 1", "'", '"""'])
def test_what_is_no_toml_ends_the_search(value):
    assert positions(f"a = 1\nb = {value}\nc = 1\n").lines[("a",)] == 1
