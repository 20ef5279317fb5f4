import re

import pytest

from scaffold.errors import SpecError
from scaffold.flags import Flags
from scaffold.spec.parse import differences, from_flags, parse
from scaffold.spec.toml import toml_text

HEAD = '[handler]\nname = "foo"\n[config]\nurl = {}\nroom = {}\n'
TAIL = '[[request]]\nurl = "${config.url}"\n[request.json]\ntext = "${event.message}"\n'


def faults(text, path="foo.toml"):
    with pytest.raises(SpecError) as caught:
        parse(text, path)
    return str(caught.value).splitlines()


def flag_faults(name="foo", **flags):
    with pytest.raises(SpecError) as caught:
        from_flags(Flags(name, **flags))
    return str(caught.value).splitlines()


def test_one_field_is_a_whole_spec():
    spec = from_flags(Flags("foo", fields=["room:str"]))
    assert spec.to_toml() == """\
[handler]
name = "foo"
title = "Foo"
flags = ["enabled"]

[config]
url = { required = "enabled", error = "must specify the Foo server URL" }
room = {}

[option]
room = { default = "config.room", bind = "create" }

[[request]]
url = "${config.url}"
[request.json]
room = "${opt.room}"
message = "${event.message}"

[response]
message = "unexpected response code ${status} from Foo service"

[test]
room = "${config.room}"
message = "test foo message"
"""


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"fields": ["room"], "is_global": True, "state_changes_only": True},
        {"fields": ["token:secret", "n:int=3", "x:float=0.5", "on:bool=true"]},
        {"config": ["wait:duration=10s", "who:list=a, b", "tags:map=a=b,c=d"]},
        {"options": ["wake:flag", "who:list[str]", 'note:str=say "hi" \\ ${x}']},
        {"fields": ["url:url=https://x.example.com"], "title": "It's & Co."},
        {"options": ["m:map=a=b", "d:duration=5s", "i:int=5", "x:float=1", "b:bool"]},
    ],
)
def test_the_text_of_flags_reads_back_as_the_same_spec(flags):
    spec = from_flags(Flags("foo", **flags))
    assert parse(spec.to_toml()).document == spec.document
    assert differences(spec, parse(spec.to_toml())) == []


def test_all_faults_of_flags_are_told_with_their_flag():
    assert flag_faults(fields=["room:strr", "Room"], config=["n:int=x"]) == [
        "--field room:strr: unknown type 'strr' (allowed: str, secret, int, float, bool, "
        "duration, url, list[str], map[str]; did you mean str?)",
        "--field Room: 'Room' is not a name for a key; start with a to z, then use a "
        "to z, 0 to 9, single - and _, at most 40 characters (did you mean 'room'?)",
        "--config n:int=x: 'x' is not an integer",
    ]
    lines = flag_faults("ﬁoo", fields=["room:strr"])
    assert [line.partition(":")[0] for line in lines] == ["--field room", "NAME"]
    lines = flag_faults("print", fields=["message"], state_changes_only=True)
    assert [line.partition(":")[0] for line in lines] == [
        "--field message",
        "NAME",
        "--state-changes-only",
    ]


def test_a_field_twice_is_refused():
    [line] = flag_faults(fields=["chat-id"], options=["chat_id"])
    assert line.startswith("--option chat_id: 'chat_id' is given already")


def test_a_secret_with_a_value_is_refused():
    [line] = flag_faults(fields=["token:secret=abc"])
    assert line.startswith(
        "--field token:secret=…: must be absent: a secret would be committed"
    )
    [line] = flag_faults(config=["x:str=ghp_abcdefgh"])
    assert "looks like a token" in line


def test_faults_have_line_key_and_suggestion():
    text = HEAD + "[option]\nroom = { defualt = 'config.room' }\n" + TAIL
    assert faults(text) == [
        "foo.toml:7: option.room.defualt: unknown key (allowed: type, doc, tick, alias, "
        "default, bind, initial, example; did you mean default?)"
    ]


def test_all_faults_of_a_file_are_told_in_its_order():
    lines = faults(
        '[handler]\nname = "class"\ntitle = ""\n[confg]\n[config]\nurl = 5\n'
        "[[request]]\nmethod = 'SEND'\nurl = '${confg.url}'\njson = {}\nform = {}\n"
    )
    assert [re.match(r"foo\.toml:(\d+): ([^:]*)", line)[2] for line in lines] == [
        "handler.name",
        "handler.title",
        "confg",
        "config.url",
        "request[1].method",
        "request[1].url",
        "request[1].form",
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x = [", "invalid TOML"),
        ("#" + "x" * 70_000, "larger than 64 KiB"),
        ("x = " + "[" * 30 + "]" * 30, "nested deeper than 20"),
        ("x = " + "{a=" * 25 + "1" + "}" * 25, "nested deeper than 20"),
        (HEAD, "request: is missing"),
        (HEAD + TAIL + "[hook]\nmodule = 'x'\n", "hook: unknown key"),
        (HEAD + TAIL + "[instances]\nkey = 'x'\n", "instances: unknown key"),
        (HEAD.replace("room = {}", "room = { type = 'sting' }") + TAIL, "mean string?"),
        (
            HEAD.replace("room = {}", "room = { default = 5, type = 'str' }") + TAIL,
            "must fit type str, but is an integer",
        ),
        (HEAD.replace("room", "enabled") + TAIL, "is a reserved name"),
        (HEAD.replace("room", "'chat-id' = {}\nchat_id") + TAIL, "same Python name as"),
        (HEAD + "[option]\nroom = { bind = 'create' }\n" + TAIL, "without 'default'"),
        (HEAD + "[level.x]\nOK = 1\nINFO = 'a'\n" + TAIL, "mixes types"),
        (HEAD + "[level.x]\nCRIT = 'a'\n" + TAIL, "did you mean CRITICAL?"),
        (HEAD + "[let]\nbody = 'x'\n" + TAIL, "is a reserved name"),
        (HEAD + "[let]\nx = 'x'\n" + TAIL, "is not used"),
        (HEAD + TAIL + TAIL, "hides the requests after it"),
        (HEAD + TAIL + "[response]\nok = [20]\n", "not an HTTP status"),
        (HEAD + TAIL + "[test]\nnope = 'x'\n", "sets nothing"),
        (HEAD + TAIL + "[test]\nlevel = 'CRIT'\n", "did you mean CRITICAL?"),
        (
            HEAD + TAIL.replace("${config.url}", "https://x.com"),
            "a URL of the configuration",
        ),
        (
            HEAD
            + TAIL.replace("[request.json]", "headers = { Authorization = 'k' }\n[x]"),
            "has a token",
        ),
        (
            HEAD + "[[check]]\nthat = 'True'\nerror = '${config.t}'\n" + TAIL,
            "unknown name 'config.t'",
        ),
    ],
)
def test_what_is_refused(text, wanted):
    assert any(wanted in line for line in faults(text)), faults(text)


def test_a_secret_in_an_error_text_is_refused():
    text = HEAD.replace("room = {}", "room = { secret = true }") + TAIL
    lines = faults(
        text + "[[check]]\nthat = 'config.room'\nerror = 'x ${config.room}'\n"
    )
    assert lines == ["foo.toml:12: check[1].error: would show the secret config.room"]


def with_doc(doc):
    room = f"room = {{ doc = {toml_text(doc)} }}"
    return parse(HEAD.replace("room = {}", room) + TAIL).config[1].doc


@pytest.mark.parametrize(
    ("doc", "wanted"),
    [
        ("no end", "no end."),
        ("Where it goes", "Where it goes."),
        ("URL of the hook", "URL of the hook."),
        ("PagerDuty key", "PagerDuty key."),
        ("over\n  two\tlines\n", "over two lines."),
        ("why?", "why?"),
        ("a list:", "a list."),
        ("the room (see there.)", "the room (see there.)"),
        ('so-called "room"', 'so-called "room".'),
        ('a """b\\', 'a """b\\.'),
        ("", ""),
    ],
)
def test_a_doc_may_be_anything_that_people_write(doc, wanted):
    assert with_doc(doc) == wanted


@pytest.mark.parametrize("doc", ["a\0b", "a\x1b[31m", "x\u202ey"])
def test_a_doc_holds_no_control_characters(doc):
    with pytest.raises(
        SpecError, match=r"config\.room\.doc: contains the character U\+"
    ):
        with_doc(doc)


def test_a_title_may_be_anything_that_people_write():
    spec = from_flags(Flags("foo", title=' Ünï \n ${x} "& Co." 会社 '))
    assert spec.title == 'Ünï ${x} "& Co." 会社'
    assert spec.names.class_name == "Foo"
    assert differences(spec, parse(spec.to_toml())) == []


@pytest.mark.parametrize("title", ["--!", "x" * 61, "a\x07b"])
def test_a_title_has_words(title):
    assert flag_faults(title=title)[0].startswith("--title: ")


@pytest.mark.parametrize("said", ["posts it", "Posts it", "Grafana hears", "URL of it"])
def test_a_summary_keeps_its_capitals(said):
    head = HEAD.replace('"foo"\n', f'"foo"\nsummary = "{said}"\n')
    assert parse(head + TAIL).summary == f"{said}."


COMMITTED = """
[handler]
name  = "foo"
title = "The Foo"
[config]
url  = { required = "enabled" }
room = { doc = "the room." }
[option]
room = { default = "config.room" }
""" + TAIL


def test_flags_agree_with_a_spec_that_says_more_about_the_same_fields():
    assert (
        differences(from_flags(Flags("foo", fields=["room:str"])), parse(COMMITTED))
        == []
    )


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        (
            {"fields": ["room:int"]},
            [
                "config.room: given int, but the spec has str",
                "option.room: given int from the configuration, but the spec has "
                "str from the configuration",
            ],
        ),
        (
            {"fields": ["room"], "options": ["color"]},
            ["option.color: given str, but the spec has nothing"],
        ),
        (
            {},
            [
                "config.room: given nothing, but the spec has str",
                "option.room: given nothing, but the spec has str from the configuration",
            ],
        ),
        (
            {"fields": ["room"], "title": "Foo", "is_global": True},
            [
                "handler.flags: given ['enabled', 'global'], but the spec has ['enabled']",
                "handler.title: given Foo, but the spec has The Foo",
            ],
        ),
    ],
)
def test_where_flags_and_a_spec_disagree(flags, wanted):
    assert differences(from_flags(Flags("foo", **flags)), parse(COMMITTED)) == wanted


def test_a_url_that_alerts_can_override_is_where_requests_go():
    [request] = from_flags(Flags("foo", fields=["url:url", "room"])).requests
    assert request.url.reads == {"opt.url"}
    assert [key for key, _ in request.body.fields] == ["room", "message"]


def test_differences_are_shown_as_people_write_values():
    spec = parse(
        from_flags(Flags("foo", config=["d:duration=90s"], options=["l:list=a,b"])).text
    )
    assert differences(from_flags(Flags("foo")), spec) == [
        'config.d: given nothing, but the spec has duration = "1m30s"',
        'option.l: given nothing, but the spec has list[str] = ["a", "b"]',
    ]


def test_two_files_are_compared_key_by_key():
    other = COMMITTED.replace('doc = "the room."', 'default = "x"')
    assert differences(parse(other), parse(COMMITTED)) == [
        "config.room.default: given x, but the spec has nothing",
        "config.room.doc: given nothing, but the spec has the room.",
    ]


def test_a_byte_order_mark_moves_no_line():
    lines = faults("\ufeff" + HEAD.replace("room = {}", "room = 5") + TAIL)
    assert [line.rpartition("foo.toml:")[2][:2] for line in lines] == ["5:"]


def test_a_property_of_alert_nodes_gets_the_handler_before_it():
    text = HEAD.replace("foo", "ntfy") + "[option]\ntopic = {}\ndetails = {}\n" + TAIL
    spec = parse(text)
    assert [each.tick for each in spec.options] == ["ntfyTopic", "ntfyDetails"]
    spec = from_flags(Flags("pager_duty9", fields=["topic"]))
    assert [each.tick for each in spec.options] == ["pagerDuty9Topic"]


def test_a_field_called_like_the_message_is_refused():
    [line] = flag_faults(fields=["message", "room"])
    assert line == (
        "--field message: 'message' is the message of the alert; use another name"
    )


@pytest.mark.parametrize(
    ("default", "wanted"),
    [
        ("general", "unknown name 'general'; a string is written \"'general'\" ("),
        (
            "my room",
            "'my room' is not an expression; a string is written \"'my room'\"",
        ),
        ("#ops", "'#ops' is not an expression; a string is written \"'#ops'\""),
        (
            "event.id",
            "write the expression in [[request]], as ${pick(opt.room, event.id)}",
        ),
        ("pick(event.id, 'x')", "'event.id' is not available here: a default sees "),
        ("config.rom", "unknown name 'config.rom' (allowed: config.room, config.url; "),
    ],
)
def test_a_default_that_is_not_an_expression(default, wanted):
    text = HEAD + f'[option]\nroom = {{ default = "{default}" }}\n' + TAIL
    [line] = faults(text)
    assert wanted in line


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[response]\nmessage = '${opt.room}'\n", "[response] sees status, body"),
        ("[response]\nthat = 'config.url'\n", "[response] sees status, body"),
        ("[response]\nthat = 'event == 1'\n", "'event' is not available here"),
    ],
)
def test_names_of_other_places_are_told_from_unknown_ones(text, wanted):
    [line] = faults(HEAD + TAIL + text)
    assert wanted in line


def test_one_cause_is_one_fault():
    text = HEAD + "[let]\na = '${nope}'\nb = '${a + 1}'\nc = '${b - a}'\n" + TAIL
    [line] = faults(text.replace("${event.message}", "${c * 2} ${level.x}") + LEVELS)
    assert line.startswith("foo.toml:7: let.a: unknown name 'nope'")


LEVELS = "[level.x]\nOK = 'a'\n"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[level.x]\nOK = 1\nWARNING = 'x'\n", "level.x"),
        ("[level.x]\n", "level.x"),
        ("[option]\nn = { type = 'itn', default = 'config.room' }\n", "option.n.type"),
        (
            "[option]\nn = { type = 'int', default = 'config.nope' }\n",
            "option.n.default",
        ),
        ("[option]\nn = { default = 5, tick = 5 }\n", "option.n.default"),
        ("[[check]]\nthat = 5\nerror = 'x'\n", "check[1].that"),
        ("[[check]]\nthta = 'True'\nerror = 'x'\n", "check[1].thta"),
        ("[let]\nbody = 'x'\n", "let.body"),
    ],
)
def test_a_fault_causes_no_other(text, where):
    lines = faults(HEAD + text + TAIL.replace("${event.message}", "${level.x}"))
    if "level" not in text:
        lines = faults(HEAD + text + TAIL)
    wheres = [line.split(": ")[1] for line in lines]
    assert wheres[0] == where
    assert len(set(wheres)) == len(wheres)
    assert set(wheres) <= {where, "option.n.tick"}


def test_faults_of_use_are_told_with_the_others():
    text = HEAD.replace("room = {}", "room = 5") + "[let]\nx = 'a'\n"
    lines = faults(text + TAIL.replace("${config.url}", "https://x.example.com"))
    assert [line.split(": ")[1] for line in lines] == [
        "config.room",
        "let.x",
        "request[1].url",
    ]


def test_enabled_need_not_be_listed():
    text = HEAD.replace('"foo"', '"foo"\nflags = ["global"]') + TAIL
    assert parse(text).flags == ("enabled", "global")


def test_a_misspelled_key_is_not_missing_too():
    lines = faults(HEAD + TAIL.replace("url =", "ulr =", 1))
    assert [line.split(": ")[1] for line in lines] == ["request[1].ulr"]
    lines = faults(
        HEAD + TAIL.replace("[request.json]", "[request.auth]\ntokn = 'x'\n[x]")
    )
    assert [line.split(": ")[1] for line in lines] == ["request[1].auth.tokn", "x"]
