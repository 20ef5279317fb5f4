"""Specs changed as TOML: only the requested part changes."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.errors import PlanError
from scaffold.spec.edits import Edits, Entry, Splice, edited


def changed(text, edits):
    return edited(text, edits, "x.toml")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[config]\nroom = {} # c\n", "[config]\nhall = {} # c\n"),
        ("[config]\n'room'={}", "[config]\n'hall'={}"),
        ('[config]\n"room" = {}\n', '[config]\n"hall" = {}\n'),
        ("[config]\nroom.doc = 'a'\nx.y = 1\n", "[config]\nhall.doc = 'a'\nx.y = 1\n"),
        ("[config]\r\nroom = {}\r\n", "[config]\r\nhall = {}\r\n"),
        ("config = { room = {}, b = {} }\n", "config = { hall = {}, b = {} }\n"),
        ("config.room.doc = 'a'\n", "config.hall.doc = 'a'\n"),
        ("[config.room] # c\ndoc = 'a'\n", "[config.hall] # c\ndoc = 'a'\n"),
        ("[ config . 'room' ]\n", "[ config . 'hall' ]\n"),
        ("[config.room.x]\n[config.room]\n", "[config.hall.x]\n[config.hall]\n"),
        ("[config.a]\n[b]\n[config.room]\n", "[config.a]\n[b]\n[config.hall]\n"),
    ],
)
def test_a_key_is_renamed_where_it_stands(before, after):
    assert changed(before, Edits(keys={("config", "room"): "hall"})) == after


@pytest.mark.parametrize(
    ("new", "after"),
    [
        ("hall", "[config]\nurl   = {}\nhall  = {}\n"),
        ("to", "[config]\nurl   = {}\nto    = {}\n"),
        ("room_name", "[config]\nurl   = {}\nroom_name = {}\n"),
    ],
)
def test_padded_keys_stay_aligned(new, after):
    before = "[config]\nurl   = {}\nroom  = {}\n"
    assert changed(before, Edits(keys={("config", "room"): new})) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('a = "é\\u00e9${opt.room}\\n"', 'a = "é\\u00e9${opt.hall}\\n"'),
        ("a = 'é${opt.room}'  # c", "a = 'é${opt.hall}'  # c"),
        ('a = """\né\\\n   é${opt.room}"""', 'a = """\né\\\n   é${opt.hall}"""'),
        ('a = """\r\né\r\n${opt.room}"""', 'a = """\r\né\r\n${opt.hall}"""'),
        ("a = '''\n\n${opt.room}'''", "a = '''\n\n${opt.hall}'''"),
        ('a = "\\U0001F600${opt.room}"', 'a = "\\U0001F600${opt.hall}"'),
    ],
)
def test_a_part_of_a_string_is_replaced_as_it_is_written(before, after):
    at = tomllib.loads(before)["a"].index("room")
    assert (
        changed(before, Edits(strings={("a",): [Splice(at, at + 4, "hall")]})) == after
    )


def test_strings_in_lists_and_tables_are_found():
    before = (
        "[[r]]\nx = 'a'\n[[r]]\n[[r.y]]\nz = [ 'a', # c\n  { k = 'b' }, [ 'a' ] ]\n"
    )
    edits = Edits(
        strings={
            ("r", 1, "y", 0, "z", 1, "k"): [Splice(0, 1, "c")],
            ("r", 1, "y", 0, "z", 2, 0): [Splice(0, 1, "d")],
        }
    )
    after = before.replace("'b'", "'c'").replace("[ 'a' ]", "[ 'd' ]")
    assert changed(before, edits) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[config]\nroom = {} # c\nb = {}\n", "[config]\nb = {}\n"),
        (
            "[config]\nb = {}\n# about room\nroom = {}\n",
            "[config]\nb = {}\n# about room\n",
        ),
        ("[config]\nb = {}\nroom.a = 1\nroom.b = 2\n", "[config]\nb = {}\n"),
        ("config = { room = {}, b = {} }\n", "config = { b = {} }\n"),
        ("config = { b = {}, room = {} }\n", "config = { b = {} }\n"),
        ("[config.b]\n\n[config.room]\na = 1\n\n[c]\n", "[config.b]\n\n[c]\n"),
        ("[config.room]\na = 1\n\n# about c\n[c]\n", "# about c\n[c]\n"),
        ("[a]\n\n[config]\nroom = {}\n\n[c]\n", "[a]\n\n[c]\n"),
        ("[config] # mine\nroom = {}\n[c]\n", "[config] # mine\n[c]\n"),
        ("[config]\nroom = {}\n# kept\n", "[config]\n# kept\n"),
    ],
)
def test_a_key_is_removed_and_comments_about_others_stay(before, after):
    assert changed(before, Edits(removed={("config", "room")})) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[config]\na = {}\n\n[c]\n", "[config]\na = {}\nroom = 1\n\n[c]\n"),
        ("[config]\na = {}", "[config]\na = {}\nroom = 1"),
        ("[config]\r\na = {}\r\n", "[config]\r\na = {}\r\nroom = 1\r\n"),
        ("[config]\na  = {}\nb  = {}\n", "[config]\na  = {}\nb  = {}\nroom = 1\n"),
        ("[config]\n  a = {}\n", "[config]\n  a = {}\n  room = 1\n"),
        (
            "[config]\na.b = 1\n[config.c]\n",
            "[config]\na.b = 1\nroom = 1\n[config.c]\n",
        ),
        ("[config]\n\n[c]\n", "[config]\nroom = 1\n\n[c]\n"),
        ("config = {}\n", "config = { room = 1 }\n"),
        ("config = { a = 1 }\n", "config = { a = 1, room = 1 }\n"),
        ("[config.a]\n", "[config.a]\n\n[config]\nroom = 1\n"),
        ("[handler]\na = 1\n", "[handler]\na = 1\n\n[config]\nroom = 1\n"),
        (
            "[handler]\na = 1\n\n# about options\n[option]\n",
            "[handler]\na = 1\n\n[config]\nroom = 1\n\n# about options\n[option]\n",
        ),
        ("[handler]\n[option]\n", "[handler]\n[config]\nroom = 1\n[option]\n"),
    ],
)
def test_a_key_is_added_at_the_end_of_its_table(before, after):
    assert changed(before, Edits(added=[Entry(("config",), "room", 1)])) == after


@pytest.mark.parametrize(
    "text",
    [
        "[[request]]\n[response]\n[[request]]\n[config]\nroom = {}\n",
        "config.a.b = 1\n",
    ],
)
def test_a_layout_that_cannot_be_kept_is_refused(text):
    edits = Edits(added=[Entry(("config",), "hall", 1)])
    with pytest.raises(PlanError) as caught:
        changed(text, edits)
    assert "make the change by hand" in str(caught.value)
    assert caught.value.exit_code == 5


names = st.from_regex("[a-z][a-z0-9]{0,5}", fullmatch=True)
blanks = st.sampled_from(["", " ", "  ", "\t"])
ends = st.sampled_from(["\n", '  # é "room"\n', "\n\n", "\n# room = 1\n"])
heads = st.sampled_from(["", "# top\n\n", "[a]\nroom = 1\n"])
values = st.sampled_from(
    ["{}", "{ a = 1, b = 'c' }", "[ 1, # c\n 2 ]", "'''\nx'''", '"room"']
)
strings = st.text(st.sampled_from("aé \\\n'\"#${}"), max_size=6)


@st.composite
def tables(draw):
    """A table of TOML, as people may write it, and its keys."""
    keys = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    text = draw(heads) + "[config]\n"
    for key in keys:
        quote = draw(st.sampled_from(["", "'", '"']))
        text += draw(blanks) + quote + key + quote + draw(blanks) + "=" + draw(blanks)
        text += draw(values) + draw(ends)
    return text + draw(st.sampled_from(["", "\n[z]\nroom = 'x'"])), keys


@given(tables(), st.data())
def test_what_is_added_and_removed_again_leaves_no_trace(table, data):
    text, keys = table
    new = data.draw(names.filter(lambda name: name not in keys))
    more = changed(text, Edits(added=[Entry(("config",), new, {"doc": "é"})]))
    assert changed(more, Edits(removed={("config", new)})) == text


@given(tables(), st.data())
def test_a_renamed_key_is_all_that_changes(table, data):
    text, keys = table
    old = data.draw(st.sampled_from(keys))
    new = data.draw(names.filter(lambda name: name not in keys))
    after = changed(text, Edits(keys={("config", old): new}))
    lines = zip(text.split("\n"), after.split("\n"), strict=True)
    [(line, other)] = [(a, b) for a, b in lines if a != b]
    assert line.replace(old, new, 1).split() == other.split()


@given(strings, strings, st.booleans())
def test_any_string_keeps_what_is_not_replaced(before, after, is_basic):
    value = f"{before}room{after}"
    if is_basic or "'''" in value or value.endswith("'"):
        raw = '"""\n' + value.replace("\\", "\\\\").replace('"', '\\"') + '"""'
    else:
        raw = f"'''\n{value}'''"
    splice = Splice(len(before), len(before) + 4, "hall")
    new = changed(f"a = {raw}\n", Edits(strings={("a",): [splice]}))
    assert new == f"a = {raw.replace('room', 'hall')}\n"
