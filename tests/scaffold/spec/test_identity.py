"""A spec whose handler gets another name."""

import tomllib

import pytest

from scaffold.flags import Flags
from scaffold.names import Names, default_property
from scaffold.spec.edits import edited
from scaffold.spec.identity import renamed
from scaffold.spec.parse import from_flags, parse
from tests.scaffold.rendered import ALL
from tests.scaffold.spec.small import HEAD, TAIL


def with_name(text, kind, property="", title=""):
    spec = parse(text)
    names = Names(kind, property or default_property(kind))
    return edited(text, renamed(spec, names, title), "x.toml")


@pytest.mark.parametrize("kind", ["bar", "bar_two", "x"])
def test_a_drafted_spec_becomes_that_of_the_new_name(kind):
    fields = ("room:str", "token:secret")
    before = from_flags(Flags("foo", fields=fields)).text
    assert with_name(before, kind) == from_flags(Flags(kind, fields=fields)).text


def test_a_title_of_its_own_stays():
    before = from_flags(Flags("foo", title="The Foo")).text
    after = tomllib.loads(with_name(before, "bar"))
    assert after["handler"]["title"] == "The Foo"
    assert after["response"]["message"].endswith(" from The Foo service")
    assert after["test"]["message"] == "test bar message"


def test_texts_of_the_author_stay():
    text = HEAD + "# foo\n" + TAIL + 'foo = "foo"\n[test]\nmessage = "a foo"\n'
    assert with_name(text, "bar") == text.replace('name = "foo"', 'name = "bar"', 1)


def test_property_and_title_are_added_where_they_differ():
    after = tomllib.loads(with_name(HEAD + TAIL, "bar", "barIn", "The Bar"))
    assert after["handler"] == {"name": "bar", "title": "The Bar", "property": "barIn"}
    after = tomllib.loads(with_name(HEAD + TAIL, "bar", "bar", "Bar"))
    assert after["handler"] == {"name": "bar"}


@pytest.mark.parametrize("kind", ALL)
def test_every_spec_is_that_of_a_handler_with_the_new_name(kind):
    spec = ALL[kind]
    after = parse(with_name(spec.text, "zz_top"))
    assert after.names == Names("zz_top", "zzTop")
    assert after.document["request"] == spec.document["request"]
