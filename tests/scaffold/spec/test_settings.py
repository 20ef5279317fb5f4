"""`[config]`, `[option]` and `[level]`."""

from __future__ import annotations

import pytest

from scaffold.flags import Flags
from scaffold.layout.printer import source
from scaffold.spec.parse import from_flags, parse
from tests.scaffold.spec.small import HEAD, TAIL, faults


def test_a_property_of_alert_nodes_gets_the_handler_before_it():
    text = HEAD.replace("foo", "ntfy") + "[option]\ntopic = {}\ndetails = {}\n" + TAIL
    spec = parse(text)
    assert [each.tick for each in spec.options] == ["ntfyTopic", "ntfyDetails"]
    spec = from_flags(Flags("pager_duty9", fields=["topic"]))
    assert [each.tick for each in spec.options] == ["pagerDuty9Topic"]


@pytest.mark.parametrize(
    ("default", "wanted"),
    [
        ("general", "unknown name 'general'; write a string as \"'general'\" ("),
        (
            "my room",
            "'my room' is not an expression; write a string as \"'my room'\"",
        ),
        ("#ops", "'#ops' is not an expression; write a string as \"'#ops'\""),
        (
            "event.id",
            "write the expression in [[request]], as ${pick(opt.room, event.id)}",
        ),
        (
            "pick(event.id, 'x')",
            "'event.id' is not available here: a default can use settings only",
        ),
        ("config.rom", "unknown name 'config.rom' (allowed: config.room, config.url; "),
    ],
)
def test_a_default_that_is_not_an_expression(default, wanted):
    text = HEAD + f'[option]\nroom = {{ default = "{default}" }}\n' + TAIL
    [line] = faults(text)
    assert wanted in line


def test_rules_and_their_texts_read_settings():
    head = HEAD.replace(
        "room = {}",
        """room = { check = "value in ['a', 'b']", check_error = "no ${value} at ${config.url}" }""",
    ).replace("url = {}", 'url = { type = "url", check_error = "invalid ${value}" }')
    config = {each.key: each for each in parse(head + TAIL).config}
    check, error = config["room"].check, config["room"].check_error
    assert source(check.node) == 'self.room in ("a", "b")'
    assert source(error.node) == 'f"no {self.room} at {hidden_url(self.url)}"'
    assert source(config["url"].check_error.node) == 'f"invalid {hidden_url(self.url)}"'


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        (
            '{ check = "url", check_error = "${value}", secret = true }',
            "config.room.check_error: would show the secret config.room",
        ),
        (
            '{ required = "always", error = "${event.id}" }',
            "config.room.error: 'event.id' is not available here: a rule of [config]",
        ),
    ],
)
def test_texts_of_rules_that_are_refused(setting, wanted):
    [line] = faults(HEAD.replace("room = {}", f"room = {setting}") + TAIL)
    assert wanted in line


def test_aliases_have_names_of_python():
    keys = "service-key = { tick = 'svc', alias = ['serviceKey', 'key'] }\n"
    body = TAIL.replace("event.message", "opt.service_key")
    spec = parse(HEAD + "[option]\n" + keys + body)
    assert [(each.key, each.name) for each in spec.options] == [
        ("service-key", "service_key"),
        ("serviceKey", "service_key_alias"),
        ("key", "key"),
    ]
    [line] = faults(HEAD + "[option]\nto = {}\nsign = { alias = 'to' }\n" + TAIL)
    assert "'to' is the key of another option" in line


def test_dates_are_no_values_of_levels():
    lines = faults(HEAD + "[level.x]\nOK = 1979-05-27\nINFO = 1979-05-28\n" + TAIL)
    assert lines == [
        f"foo.toml:{line}: level.x.{level}: must be a string, not a date or time"
        for line, level in ((7, "OK"), (8, "INFO"))
    ]


def test_two_options_with_one_property_are_refused():
    lines = faults(HEAD + "[option]\na = {}\nb = { tick = 'A' }\n" + TAIL)
    assert [line.split(": ")[1] for line in lines] == ["option.a.tick", "option.b.tick"]


def test_former_names():
    text = "[option]\nto = { formerly = ['chat-room', 'topic', 'TO'] }\n"
    [line] = faults(HEAD + text + TAIL)
    assert "'TO' is not a name for a key" in line
    text = text.replace(", 'TO'", "")
    [option] = parse(HEAD + text + TAIL).options
    assert option.formerly == ("chat-room", "topic")
    # as they were generated: one that alert nodes have already comes after the handler's
    assert option.former_ticks == ("chatRoom", "fooTopic")
    [option] = parse(
        HEAD + text.replace("formerly", "tick = 'x', formerly") + TAIL
    ).options
    assert option.former_ticks == ()
    [option] = parse(HEAD + text.replace("to =", "chat_room =") + TAIL).options
    assert option.former_ticks == ("fooTopic",)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ("to = { formerly = 'from' }\nfrom = {}", "'from' belongs to the field 'from'"),
        (
            "to = { formerly = 'x-y' }\nfrom = { formerly = 'x_y' }",
            "option.from.formerly: 'x_y' belongs to the field 'to'",
        ),
        (
            "to = { formerly = 'a' }\nb = { alias = 'a' }",
            "'a' belongs to the field 'a'",
        ),
        ("to = { formerly = 'to' }", "'to' is its present name"),
        ("to = { formerly = ['a', 'a'] }", "'a' is there twice"),
        ("to = { formerly = 1 }", "must be a name or a list of names, not an integer"),
        (
            "to = { formerly = 'a' }\nb = { tick = 'A' }",
            "option.to.formerly: another option has the property 'a'",
        ),
    ],
)
def test_former_names_that_mean_something_else(names, wanted):
    lines = faults(HEAD + f"[option]\n{names}\n" + TAIL)
    assert [line for line in lines if wanted in line], lines


def test_former_names_of_settings_are_no_switches():
    [line] = faults(HEAD.replace("{}", "{ formerly = 'enabled' }", 1) + TAIL)
    assert "'enabled' is a reserved name" in line
