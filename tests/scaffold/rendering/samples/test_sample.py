"""Samples of generated tests: values that pass the checks of a spec, or a refusal."""

from __future__ import annotations

import re
import time

import pytest

from runtime.services.expressions import matches
from scaffold import places
from scaffold.errors import SpecError
from scaffold.rendering.render import render
from scaffold.rendering.samples.candidates import matching
from scaffold.spec.parse import parse

HEAD = """\
[handler]
name = "quoll"
[config]
url = {}
room = { default = "ROOM" }
n = { type = "int" }
teams = { type = "list" }
wait = { type = "duration" }
[option]
room = { default = "config.room" }
teams = { default = "config.teams" }
bare = {}
count = { type = "int" }
"""
TAIL = """\
[[request]]
url = "${config.url}"
[request.json]
room = "${opt.room}"
"""


def spec_of(*checks, room="general", more=""):
    text = HEAD.replace("ROOM", room) + more
    for that in checks:
        text += f"[[check]]\nthat = '''{that} '''\nerror = \"refused\"\n"
    return parse(text + TAIL, "quoll.toml")


def created(spec):
    return {
        file.path.name: render(file.template, spec)
        for file in places.files(spec.names, "runtime")
    }


def line_of(spec, needle):
    return 1 + spec.text.split("\n").index(needle)


@pytest.mark.parametrize(
    ("room", "checks"),
    [
        ("general", ["startswith(opt.room, '#')"]),
        ("plain", ["opt.room != 'plain'"]),
        ("plain", ["opt.room == 'x'"]),
        ("123", ["matches(opt.room, '^[a-z]+$')"]),
        ("", ["matches(opt.room, '^[^/]+/[^/]+$')"]),
        ("", [r"matches(opt.room, '^\\d{4}-[\\w.]+@x\\.(com|org)$')"]),
        ("", ["matches(opt.room, '^[a-z]+$') and len(opt.room) > 30"]),
        ("", ["endswith(lower(opt.room), '.png')", "len(opt.room) < 10"]),
        ("", ["'@' in opt.room and not startswith(opt.room, '@')"]),
        ("", ["opt.room in ['one', 'two']", "opt.room != 'one'"]),
        ("", ["config.n > 100 and config.n < 102", "opt.room"]),
        ("", ["len(opt.teams) == 3"]),
        ("", ["'ops' in opt.teams", "opt.room == 'ops'"]),
        ("", ["not opt.room"]),
        ("", ["seconds(config.wait) == 0"]),
    ],
)
def test_a_configuration_is_found_that_passes(room, checks):
    files = created(spec_of(*checks, room=room))
    assert "refused" not in files["test_requests.txt"]
    assert "OPTIONS" not in files["test_quoll_service.py"]


@pytest.mark.parametrize(
    ("check", "line"),
    [
        ("opt.bare", 'OPTIONS = HandlerConfig(bare="explicit-bare")'),
        ("matches(opt.bare, '^v[0-9]+$')", 'OPTIONS = HandlerConfig(bare="v0")'),
        ("opt.count >= 100", "OPTIONS = HandlerConfig(count=100)"),
        (
            "event.tags.team",
            'CHANGES = {"tags": {"host": "serverA", "team": "my-team"}}',
        ),
        (
            "event.fields.x > 5",
            'CHANGES = {"fields": {"usage_idle": 3.5, "x": 5.0}}'.replace("5.0", "6.0"),
        ),
    ],
)
def test_options_and_events_are_chosen_where_the_configuration_cannot_help(check, line):
    fed = """[test]
bare = "v1"
count = 100
tags = { value = { team = "a" }, feeds = "event.tags" }
"""
    if "fields" in check:
        check = f"event.topic == 'of a test' or {check}"
        fed += 'topic = { value = "of a test", feeds = "event.topic" }\n'
    files = created(spec_of(check, more=fed))
    assert line in files["test_quoll_service.py"]
    assert "refused" not in files["test_requests.txt"]


@pytest.mark.parametrize(
    ("checks", "failing"),
    [
        (["opt.room == 'a' and opt.room == 'b'"], 0),
        (["opt.room == 'a'", "opt.room == 'b'"], 1),
        (["opt.room", "False"], 1),
        (["hmac_sha256(opt.room, 'x') == 'y'"], 0),
        (["matches(event.message, '^zz')"], 0),
        (["opt.room < opt.room"], 0),
        ([" and ".join(f"opt.{key} == opt.bare" for key in ("room", "bare")) + " and not opt.bare and opt.room"], 0),
    ],
)  # fmt: skip
def test_checks_that_nothing_passes_are_refused_with_their_line(checks, failing):
    spec = spec_of(*checks)
    started = time.perf_counter()
    with pytest.raises(SpecError) as caught:
        created(spec)
    assert time.perf_counter() - started < 20
    [fault] = caught.value.faults
    assert fault.where == f"check[{failing + 1}].that"
    assert fault.line == line_of(spec, f"that = '''{checks[failing]} '''")
    assert str(caught.value).startswith(f"quoll.toml:{fault.line}: ")
    assert "[[example]]" in fault.problem


def test_an_example_of_the_author_gives_the_sample():
    more = """\
[test]
bare = "Zm9v"
[[example]]
name = "as it should be"
options = { bare = "Zm9v" }
"""
    spec = spec_of("b64('foo') == opt.bare", more=more)
    assert (
        'OPTIONS = HandlerConfig(bare="Zm9v")' in created(spec)["test_quoll_service.py"]
    )


@pytest.mark.parametrize(
    ("check", "more"), [("opt.bare", ""), ("event.tags.team", "[test]\nroom = 'x'\n")]
)
def test_a_service_test_that_is_refused_is_told(check, more):
    with pytest.raises(SpecError, match="the service test is refused: refused"):
        created(spec_of(check, more=more))


@pytest.mark.parametrize(
    ("when", "level"),
    [
        ("event.level != 'OK'", "CRITICAL"),
        ("event.level == 'WARNING'", "WARNING"),
        ("event.level < 'WARNING'", "INFO"),
        ("event.level == 'OK'", "OK"),
        ("True", None),
    ],
)
def test_a_service_test_has_a_level_that_is_sent(when, level):
    text = HEAD + TAIL.replace("[request.json]", f'when = "{when}"\n[request.json]')
    files = created(parse(text))
    found = re.findall(r"level=Level\.(\w+)", files["service.py"])
    assert found == ([level] if level else [])
    assert "\n# test quoll\nPOST " in files["test_service_test.txt"]


def test_a_service_test_that_sends_nothing_is_refused():
    text = HEAD + TAIL.replace(
        "[request.json]", 'when = "event.tags.x"\n[request.json]'
    )
    with pytest.raises(SpecError, match="the service test sends nothing"):
        created(parse(text))


@pytest.mark.parametrize(
    "regex",
    [
        "^[^/]+/[^/]+$", r"^\d+$", "^a{3,5}b?$", "(?i)^CRIT$", "^(a|b)c*$", r"^[\w.-]+@[\w.-]+$",
        "^[^a-z0-9]$", r"\S+\s\S+", "^https://[a-z.]+/hook/[0-9a-f]{8}$", "^$", "x", r"^[^\d\s]+$",
        "^#[A-F0-9]{6}$", r"^\+?[1-9]\d{1,14}$", "(?:ab)+", r"^\W$", "^.{20,}$", "[[:alpha:]]",
    ],
)  # fmt: skip
def test_texts_are_found_for_common_regular_expressions(regex):
    assert any(matches(text, regex) for text in matching(regex)) or "[[" in regex


@pytest.mark.parametrize(
    ("response", "key"),
    [
        ('that = "reply.ok"\naccepted = \'{"ok": false}\'', "accepted"),
        ("that = \"reply.code < 400\"\naccepted = 'fine'", "accepted"),
        ("that = \"reply.code == 0\"\naccepted = '[0]'", "accepted"),
        ("that = \"'ok' in reply.states\"\naccepted = '{\"states\": 5}'", "accepted"),
        ('that = "reply.ok"', "that"),
        ("ok = [202]\nthat = \"status == 200\"\naccepted = '{}'", "accepted"),
    ],
)
def test_an_accepted_answer_that_is_refused_is_told(response, key):
    spec = parse(f"{HEAD}{TAIL}[response]\n{response}\n", "quoll.toml")
    with pytest.raises(SpecError) as caught:
        created(spec)
    [fault] = caught.value.faults
    assert fault.where == f"response.{key}"
    assert spec.text.split("\n")[fault.line - 1].startswith(key)


@pytest.mark.parametrize(
    ("setting", "is_checked"),
    [("", False), (', type = "url"', False), (', required = "enabled"', True)],
)
def test_tests_import_what_they_use(setting, is_checked):
    head = HEAD.replace("url = {}", f"url = {{ doc = 'where'{setting} }}")
    made = created(parse(head + TAIL, "quoll.toml"))
    assert made["test_quoll_service.py"].count("ConfigError") == 2 * is_checked


CHECKED = "len(config.room) == 7 and startswith(config.room, 'Q')"


def checked(example="", check=CHECKED):
    room = f'room = {{ check = "{check}"{example} }}'
    return parse(HEAD.replace('room = { default = "ROOM" }', room) + TAIL, "quoll.toml")


def test_a_setting_whose_check_no_sample_passes_is_refused():
    spec = checked()
    with pytest.raises(SpecError) as caught:
        created(spec)
    assert str(caught.value) == (
        "quoll.toml:5: config.room.check: the generator finds no value that passes; "
        "add 'examples' to this key, with a value that passes"
    )


def test_the_example_of_a_setting_is_what_tests_use():
    spec = checked(', examples = "Quarrel"')
    files = created(spec)
    assert '"room":"Quarrel"' in files["test_requests.txt"]


def test_an_example_that_its_check_refuses_is_refused():
    with pytest.raises(SpecError, match=r"config\.room\.examples: does not pass"):
        created(checked(', examples = "Quoll"'))


def test_the_example_of_an_option_is_what_checks_see():
    test = '[test]\nway = "9-left"\n'
    more = f'[option.way]\nexamples = "9-left"\n{test}'
    check = "b64(opt.way) == 'OS1sZWZ0'"
    spec = spec_of(check, more=more)
    assert "refused" not in created(spec)["test_requests.txt"]
    with pytest.raises(SpecError, match=r"check\[1\]\.that: the generator finds no"):
        created(spec_of(check, more="[option.way]\n" + test))


def test_each_status_that_means_success_is_tried():
    spec = spec_of(more="[response]\nok = [200, 202, 204]\n")
    assert "for status in (200, 202, 204):" in created(spec)["test_quoll_service.py"]


def test_a_status_without_the_body_that_is_asked_for_is_left_out():
    more = "[response]\nok = [200, 202, 204]\nthat = 'reply.done == 1'\n"
    spec = spec_of(more=f"{more}accepted = '{{\"done\": 1}}'\n")
    assert "for status in (200, 202):" in created(spec)["test_quoll_service.py"]


def test_each_value_after_which_a_delivery_is_retried_is_tried():
    retry = "reply.code in [42, 43] or reply.error == 'busy'"
    spec = spec_of(more=f'[response]\nretry = "{retry}"\n')
    bodies = re.findall(r"'(\{.*?\})'", created(spec)["test_quoll_service.py"])
    for body in ('{"code": 42}', '{"code": 43}', '{"error": "busy"}'):
        assert body in bodies


def test_the_property_of_a_script_may_set_nothing():
    file = created(spec_of())["test_quoll_service.py"]
    assert 'options_from_script("quoll", config(server), ".quoll()") == [unset]' in file


def test_a_fallback_is_not_tried_with_a_value_that_the_setting_refuses():
    setting = 'room = { default = "general", check = "value in [\'general\', \'a\']", check_error = "no" }'
    text = (HEAD + TAIL).replace('room = { default = "ROOM" }', setting)
    assert "other-room" not in created(parse(text))["test_quoll_service.py"]


@pytest.mark.parametrize(
    ("setting", "accepted"),
    [
        ("check = \"value in ['', 'low', 'high']\"", ['""', '"low"', '"high"']),
        ("check = \"matches(value, '^a+$')\"", []),
        ('type = "int"\ncheck = "value > 3"', ["4"]),
        ('type = "float"\ncheck = "value != 0.0"', ["-1.0", "1.0"]),
        (
            'type = "duration"\ncheck = "seconds(value) >= 0"',
            ["Duration(0)", "Duration(1)"],
        ),
        ('type = "bool"\ncheck = "value"', []),
    ],
)
def test_values_that_a_check_names_and_accepts(setting, accepted):
    spec = parse(f"""\
[handler]
name = "foo"
[config]
url = {{}}
[config.x]
{setting}
[[request]]
url = "${{config.url}}"
json = {{ x = "${{config.x}}" }}
""")
    tests = created(spec)["test_foo_service.py"]
    valid = r"^    replace\(config\(server\), x=(.*)\)\.validate\(\)$"
    assert re.findall(valid, tests, re.MULTILINE) == accepted
