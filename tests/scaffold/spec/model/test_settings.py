"""Settings, options and values per level: their names in Python."""

from __future__ import annotations

import pytest

from scaffold.spec.model.settings import (
    TYPES,
    ConfigField,
    LevelMap,
    Option,
    Setting,
    scope_constants,
)


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        (Setting("api-key", TYPES["str"], ""), "api_key"),
        # a word of Python, and a name that the class of settings uses
        (Setting("class", TYPES["str"], ""), "class_"),
        (Setting("field", TYPES["str"], ""), "field_"),
        # methods of one class are free names in the other
        (ConfigField("instances", TYPES["str"], ""), "instances_"),
        (Option("instances", TYPES["str"], ""), "instances"),
        (Option("resolve", TYPES["str"], ""), "resolve_"),
        (ConfigField("resolve", TYPES["str"], ""), "resolve"),
        (Option("room", TYPES["str"], "", own_name="room_name"), "room_name"),
    ],
)
def test_a_setting_has_a_name_that_its_class_has_not_taken(setting: Setting, name: str):
    assert setting.name == name


def template(key: str, *scope: str) -> Option:
    """An option whose templates may use the names of `scope`."""
    return Option(key, TYPES["template"], "", scope=scope)


def test_one_scope_needs_no_key_in_its_constant():
    options = [template("title", "ID", "Level"), template("text", "ID", "Level")]
    assert scope_constants(options, []) == {("ID", "Level"): "SCOPE"}


def test_several_scopes_are_named_after_their_first_settings():
    options = [template("title", "ID"), template("text", "Level"), template("url")]
    wanted = {("ID",): "TITLE_SCOPE", ("Level",): "TEXT_SCOPE"}
    assert scope_constants(options, []) == wanted


def test_the_constant_of_a_scope_differs_from_those_of_levels():
    levels = [LevelMap("scope", {"OK": "a"}, "b")]
    assert scope_constants([template("title", "ID")], levels) == {
        ("ID",): "SCOPE_NAMES"
    }
