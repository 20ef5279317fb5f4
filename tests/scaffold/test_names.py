import dataclasses

import pytest

from runtime.integrations.bundled import INTEGRATIONS
from runtime.pipeline.alert import AlertNode
from runtime.server.config.config import Config
from scaffold import names
from scaffold.names import (
    Names,
    camel_case,
    default_property,
    identifier,
    key_faults,
    kind_faults,
    property_faults,
    rewording,
    same_names,
    snake_case,
    staying,
)


def problems(faults):
    return [str(fault) for fault in faults]


@pytest.mark.parametrize(
    ("kind", "property", "class_name", "section"),
    [
        ("foo", "foo", "Foo", "foo"),
        ("hipchat", "hipChat", "HipChat", "hipchat"),
        ("opsgenie2", "opsGenie2", "OpsGenie2", "opsgenie2"),
        ("my_chat", "myChat", "MyChat", "my-chat"),
        ("smtp", "email", "Email", "smtp"),
    ],
)
def test_every_form_of_a_name(kind, property, class_name, section):
    names = Names(kind, property)
    assert names.package == kind
    assert names.class_name == class_name
    assert names.section == section
    assert camel_case(snake_case(property)) == property


def test_keys_become_identifiers():
    assert identifier("icon-emoji") == "icon_emoji"
    assert identifier("from") == "from_"
    assert camel_case("icon-emoji") == "iconEmoji"
    assert snake_case("serviceKey") == "service_key"
    assert default_property("my_chat") == "myChat"


@pytest.mark.parametrize("kind", ["foo", "hipchat", "my_chat", "pagerduty2", "slack"])
def test_good_names(kind):
    assert kind_faults(kind, "NAME") == []
    assert property_faults(default_property(kind), "NAME") == []


@pytest.mark.parametrize(
    "kind",
    [
        *("", "Foo", "my-chat", "2foo", "_foo", "a" * 41, "foo bar", "foo.bar", "../x"),
        *("ｃlass", "ﬁoo", "ſlack", "\u212aey", "аlert", "foo·bar", "hiṕchat"),
        *("foo\n", "foo\x00", "foo\u202e"),
        *("class", "match", "type", "print", "id", "con", "nul", "aux", "com1"),
        *("alert", "message", "topic", "details", "crit", "config", "http", "service"),
        *("foo_", "foo__bar", "log", "exec", "tcp", "publish", "aggregate", "stats"),
    ],
)
def test_bad_names(kind):
    assert kind_faults(kind, "NAME")


def test_a_name_that_is_not_ascii_is_shown_with_its_code_points():
    [fault] = kind_faults("ﬁoo", "NAME")
    assert "U+FB01" in fault.problem
    assert str(fault).isascii()


def test_a_suggestion_for_a_name_in_the_wrong_case():
    [fault] = kind_faults("MyChat", "NAME")
    assert fault.suggestion == "'my_chat'"


@pytest.mark.parametrize("kind", ["foo", "fo_o", "f_oo"])
def test_names_that_cannot_be_told_from_existing_ones(kind):
    assert kind_faults(kind, "NAME", existing=["foo"])


def test_all_faults_of_a_name_are_told():
    assert len(kind_faults("print", "NAME", existing=["print"])) == 2


@pytest.mark.parametrize(
    "property", ["crit", "stateChangesOnly", "CRIT", "hip_chat", "uRL", "class", "Foo"]
)
def test_bad_properties(property):
    assert property_faults(property, "handler.property")


def test_a_property_that_another_handler_has():
    faults = property_faults("hipChat", "handler.property", ["hipchat"])
    assert problems(faults) == [
        "handler.property: another handler has the property 'hipChat'"
    ]


def test_keys():
    assert key_faults("from", "config.from") == []
    assert key_faults("recovery_action", "config.recovery_action") == []
    assert problems(key_faults("Icon Emoji", "config")) == [
        "config: 'Icon Emoji' is not a name for a key; start with a to z, then use "
        "a to z, 0 to 9, single - and _, at most 40 characters (did you mean 'icon_emoji'?)"
    ]
    assert key_faults("validate", "config", ["validate"])


def test_keys_that_are_one_name_in_python():
    assert same_names(["chat-id", "room", "chat_id"]) == [("chat-id", "chat_id")]


def _attributes(owner):
    fields = {field.name for field in dataclasses.fields(owner)}
    return fields | {name for name in dir(owner) if not name.startswith("_")}


def test_what_the_runtime_calls_something_is_no_name_for_a_handler():
    used = _attributes(AlertNode) | _attributes(Config)
    used |= {*INTEGRATIONS.sections, *INTEGRATIONS.kinds, *INTEGRATIONS.properties}
    kinds = INTEGRATIONS.services.keys() - {"httppost"}
    made = {INTEGRATIONS.node_handlers[kind] for kind in kinds}
    properties = INTEGRATIONS.properties.items()
    ours = kinds | {name for name, each in properties if each in made}
    assert [
        each for each in sorted(used - ours) if not names.kind_faults(each, "")
    ] == []


def test_what_belongs_to_a_handler_is_no_name_for_another():
    [fault] = names.kind_faults("foo_service", "", ["foo"])
    assert fault.problem == "'foo_service' is the name of a part of the handler 'foo'"
    assert names.kind_faults("foo_service", "", ["bar"]) == []


@pytest.mark.parametrize("kind", ["_", "self", "cls", "x" * 300, "-rf", "http_post"])
def test_odd_names_are_refused_in_short(kind):
    faults = names.kind_faults(kind, "NAME")
    assert faults
    assert all(len(str(fault)) < 250 for fault in faults)
    names.default_property(kind)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("foo", "bar_two"),
        ("services.foo.config", "services.bar_two.config"),
        ("services/foo/footest.py", "services/bar_two/bar_twotest.py"),
        ("test_foo_service", "test_bar_two_service"),
        ("FooHandlerConfig, MyFoo, Foo", "BarTwoHandlerConfig, MyBarTwo, BarTwo"),
        ("alert().foo()", "alert().barTwo()"),
        (
            "|alert()\n  .foo()\n  .fooTopic('x')",
            "|alert()\n  .barTwo()\n  .barTwoTopic('x')",
        ),
        ("KAPACITOR_FOO_URL", "KAPACITOR_BAR_TWO_URL"),
        ("[foo] a-foo foo's", "[bar_two] a-bar_two bar_two's"),
        ("footer, snafoo, Foobar, foo2, Foo2", "footer, snafoo, Foobar, foo2, Foo2"),
        ("https://foo.example.com/foo foo", "https://foo.example.com/foo bar_two"),
        ("http://localhost:9092/config/foo/", "http://localhost:9092/config/bar_two/"),
        ("foo_bar, FooBarServer, fooBar(", "foo_bar, FooBarServer, fooBar("),
    ],
)
def test_new_names_are_put_for_the_old_ones(text: str, changed: str) -> None:
    old, new = Names("foo", "foo"), Names("bar_two", "barTwo")
    kept = ("foo_bar", "FooBar", "fooBar")
    assert rewording(old, new, kept)(text) == changed


@pytest.mark.parametrize("text", ["hipChat, hipchat, HipChat", ".hipChat()"])
def test_words_of_two_names_are_told_apart(text: str) -> None:
    one, other = Names("hipchat", "hipChat"), Names("x", "theX")
    there, back = rewording(one, other), rewording(other, one)
    assert there(text) == text.replace("hipChat", "theX").replace(
        "hipchat", "x"
    ).replace("HipChat", "TheX")
    assert back(there(text)) == text


def test_a_name_that_stays_is_known_by_what_is_beside_it() -> None:
    text = 'f(foo=options.foo, kind="bar")\n{"foo": 1, "bar": 2}\nfoo: str\nfoo\n'
    found = staying(Names("foo", "foo"), Names("bar", "bar"), [text])
    assert sorted(found) == ["foo: ", "foo=", "options.foo"]
