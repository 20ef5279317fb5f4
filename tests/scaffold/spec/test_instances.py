"""`[instances]`: several sections of one handler."""

import pytest

from scaffold.errors import SpecError
from scaffold.flags import Flags
from scaffold.spec import fields
from scaffold.spec.edits import edited
from scaffold.spec.parse import parse
from tests.scaffold.spec.small import HEAD, TAIL, faults

INSTANCES = '[instances]\nkey = "workspace"\n'


def spec_of(instances=INSTANCES, more=""):
    return parse(HEAD + instances + more + TAIL, "foo.toml")


def keys_of(settings):
    return [each.key for each in settings]


def test_a_flag_a_name_and_a_choice_are_added():
    spec = spec_of()
    assert spec.instances == ("workspace", "workspace", "flag")
    assert keys_of(spec.config) == ["default", "workspace", "url", "room"]
    assert keys_of(spec.options) == ["workspace"]
    assert [(each.key, each.feeds) for each in spec.test] == [
        ("workspace", "opt.workspace"),
        ("message", "event.message"),
    ]


@pytest.mark.parametrize("default", ["only", "none"])
def test_without_a_flag_there_is_none(default):
    spec = spec_of(f'{INSTANCES}default = "{default}"\noption = "team"\n')
    assert spec.instances == ("workspace", "team", default)
    assert keys_of(spec.config) == ["workspace", "url", "room"]
    assert keys_of(spec.options) == ["team"]


def test_the_author_can_describe_them():
    more = '[option]\nworkspace = { doc = "the team.", tick = "team" }\n'
    head = HEAD + 'workspace = { doc = "the name.", default = "x" }\n'
    spec = parse(head + INSTANCES + more + TAIL)
    [_, name, *_] = spec.config
    assert (name.doc, name.default) == ("the name.", "x")
    assert (spec.options[0].doc, spec.options[0].tick) == ("the team.", "team")


def test_they_are_used_and_can_be_named():
    more = '[test]\nteam = { value = "${config.workspace}", feeds = "opt.workspace" }\n'
    spec = spec_of(more=more)
    assert [each.key for each in spec.test] == ["team", "message"]
    assert [each for each in spec.warnings if "config.room" not in each] == []


@pytest.mark.parametrize(
    ("instances", "more", "expected"),
    [
        (
            "[instances]\n",
            "",
            "foo.toml:6: instances.key: is missing",
        ),
        (
            '[instances]\nkye = "workspace"\n',
            "",
            "foo.toml:7: instances.kye: unknown key "
            "(allowed: key, default, option; did you mean key?)",
        ),
        (
            '[instances]\nkey = "workspace"\ndefault = "flags"\n',
            "",
            "foo.toml:8: instances.default: unknown default 'flags' "
            "(allowed: flag, only, none; did you mean flag?)",
        ),
        (
            INSTANCES,
            '[option]\nroom = { default = "config.room", bind = "create" }\n',
            "foo.toml:9: option.room.bind: conflicts with [instances]: the section is "
            "not yet known then; remove it",
        ),
        (
            INSTANCES,
            '[option]\nworkspace = { default = "config.room" }\n',
            "foo.toml:9: option.workspace.default: has no effect on the name of a "
            "section; remove it",
        ),
        (
            INSTANCES,
            '[option]\nworkspace = { type = "int" }\n',
            "foo.toml:9: option.workspace.type: must be a string: it is the name of a "
            "section",
        ),
    ],
)
def test_what_is_wrong_is_refused(instances, more, expected):
    assert expected in faults(HEAD + instances + more + TAIL)


def test_settings_that_are_added_are_not_given():
    given = "default = {}\nworkspace = { required = 'enabled' }\n"
    assert faults(HEAD + given + INSTANCES + TAIL) == [
        'foo.toml:6: config.default: is added by default = "flag" of [instances]; '
        "remove it here",
        "foo.toml:7: config.workspace.required: has no effect on the name of a section; "
        "remove it",
    ]


def test_flags_of_a_default_that_is_not_there_are_refused():
    head = HEAD.replace('"foo"', '"foo"\nflags = ["global"]')
    assert faults(head + INSTANCES + 'default = "none"\n' + TAIL) == [
        "foo.toml:3: handler.flags: 'global' has no effect with [instances] default = "
        '"none": it is that of the default section'
    ]


TEST = '[test]\nworkspace = "${config.workspace}"\n'


def test_the_name_can_be_renamed():
    spec = spec_of(more=TEST)
    edits = fields.renamed(spec, "workspace", "chat-team")
    text = edited(spec.text, edits, "foo.toml")
    assert 'key = "chat-team"' in text
    assert 'chat-team = "${config.chat_team}"' in text
    other = parse(text)
    assert other.instances == ("chat-team", "chat-team", "flag")
    back = edited(text, fields.renamed(other, "chat-team", "workspace"), "foo.toml")
    assert back == spec.text


def test_a_choice_of_another_name_is_renamed_alone():
    spec = spec_of(INSTANCES + 'option = "team"\n')
    text = edited(spec.text, fields.renamed(spec, "team", "crew"), "foo.toml")
    assert parse(text).instances == ("workspace", "crew", "flag")


def test_the_name_cannot_be_removed_or_taken():
    spec = spec_of()
    with pytest.raises(SpecError, match=r"instances\.key: uses the field 'workspace'"):
        fields.removed(spec, "workspace")
    with pytest.raises(SpecError, match="the field 'workspace' already exists"):
        fields.renamed(spec, "room", "workspace")


def test_a_field_can_be_added():
    spec = spec_of()
    edits, _ = fields.added(spec, Flags("foo", ("channel:str",)))
    other = parse(edited(spec.text, edits, "foo.toml"))
    assert keys_of(other.config)[-1] == "channel"
    assert other.instances == spec.instances
