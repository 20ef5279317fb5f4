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
        "--field room:strr: 'strr' is no type (allowed: str, secret, int, float, bool, "
        "duration, url, list[str], map[str]; did you mean str?)",
        "--field Room: 'Room' is no name for a key (allowed: a to z first, then a to z, "
        "0 to 9, single - and _, at most 40 characters; did you mean 'room'?)",
        "--config n:int=x: 'x' is no int (allowed: a whole number)",
    ]
    lines = flag_faults("ﬁoo", fields=["room:strr"])
    assert [line.partition(":")[0] for line in lines] == ["--field room", "NAME"]
    lines = flag_faults("print", fields=["message"], state_changes_only=True)
    assert [line.partition(":")[0] for line in lines] == [
        "NAME",
        "--field message",
        "--state-changes-only",
    ]


def test_a_field_twice_is_refused():
    [line] = flag_faults(fields=["chat-id"], options=["chat_id"])
    assert line.startswith("--option chat_id: 'chat_id' is said twice")


def test_a_secret_with_a_value_is_refused():
    [line] = flag_faults(fields=["token:secret=abc"])
    assert line.startswith("--field token:secret=…: a secret has no default")
    [line] = flag_faults(config=["x:str=ghp_abcdefgh"])
    assert "looks like a token" in line


def test_faults_have_line_key_and_suggestion():
    text = HEAD + "[option]\nroom = { defualt = 'config.room' }\n" + TAIL
    assert faults(text) == [
        "foo.toml:7: option.room.defualt: unknown key (allowed: type, doc, tick, alias, "
        "default, bind, initial; did you mean default?)"
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
        ("x = [", "is no TOML"),
        ("#" + "x" * 70_000, "larger than 64 KiB"),
        ("x = " + "[" * 30 + "]" * 30, "nested deeper than 20"),
        ("x = " + "{a=" * 25 + "1" + "}" * 25, "nested deeper than 20"),
        (HEAD, "request: is missing"),
        (HEAD + TAIL + "[hook]\nmodule = 'x'\n", "hook: is not known to this version"),
        (HEAD + TAIL + "[instances]\nkey = 'x'\n", "instances: is not known to this"),
        (HEAD.replace("room = {}", "room = { type = 'sting' }") + TAIL, "mean string?"),
        (
            HEAD.replace("room = {}", "room = { default = 5, type = 'str' }") + TAIL,
            "not",
        ),
        (HEAD.replace("room", "enabled") + TAIL, "kept for something else"),
        (HEAD.replace("room", "'chat-id' = {}\nchat_id") + TAIL, "same name as"),
        (
            HEAD + "[option]\ntopic = {}\n" + TAIL,
            "would hide the one of the alert node",
        ),
        (HEAD + "[option]\nroom = { bind = 'create' }\n" + TAIL, "only with 'default'"),
        (HEAD + "[level.x]\nOK = 1\nINFO = 'a'\n" + TAIL, "mixes values"),
        (HEAD + "[level.x]\nCRIT = 'a'\n" + TAIL, "did you mean CRITICAL?"),
        (HEAD + "[let]\nbody = 'x'\n" + TAIL, "kept for something else"),
        (HEAD + "[let]\nx = 'x'\n" + TAIL, "is used nowhere"),
        (HEAD + TAIL + TAIL, "hides the requests after it"),
        (HEAD + TAIL + "[response]\nok = [20]\n", "no HTTP status"),
        (HEAD + TAIL + "[test]\nnope = 'x'\n", "feeds nothing"),
        (HEAD + TAIL + "[test]\nlevel = 'CRIT'\n", "did you mean CRITICAL?"),
        (
            HEAD + TAIL.replace("${config.url}", "https://x.com"),
            "from the configuration",
        ),
        (
            HEAD
            + TAIL.replace("[request.json]", "headers = { Authorization = 'k' }\n[x]"),
            "a token stands here",
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
        ("Where it goes", "where it goes."),
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
    with pytest.raises(SpecError, match=r"config\.room\.doc: holds the character U\+"):
        with_doc(doc)


def test_a_title_may_be_anything_that_people_write():
    spec = from_flags(Flags("foo", title=' Ünï \n ${x} "& Co." 会社 '))
    assert spec.title == 'Ünï ${x} "& Co." 会社'
    assert spec.names.class_name == "Foo"
    assert differences(spec, parse(spec.to_toml())) == []


@pytest.mark.parametrize("title", ["--!", "x" * 61, "a\x07b"])
def test_a_title_has_words(title):
    assert flag_faults(title=title)[0].startswith("--title: ")


def test_names_keep_their_capitals_in_a_summary():
    head = HEAD.replace('"foo"\n', '"foo"\ntitle = "The Hook"\nsummary = "SAID"\n')
    for said, wanted in [
        ("Posts it", "posts it."),
        ("The Hook hears", "The Hook hears."),
    ]:
        assert parse(head.replace("SAID", said) + TAIL).summary == wanted


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
                "config.room: the spec has str, you said int",
                "option.room: the spec has str from the configuration, "
                "you said int from the configuration",
            ],
        ),
        (
            {"fields": ["room"], "options": ["color"]},
            ["option.color: the spec has nothing, you said str"],
        ),
        (
            {},
            [
                "config.room: the spec has str, you said nothing",
                "option.room: the spec has str from the configuration, you said nothing",
            ],
        ),
        (
            {"fields": ["room"], "title": "Foo", "is_global": True},
            [
                "handler.flags: the spec has ['enabled'], you said ['enabled', 'global']",
                "handler.title: the spec has The Foo, you said Foo",
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
        'config.d: the spec has duration = "1m30s", you said nothing',
        'option.l: the spec has list[str] = ["a", "b"], you said nothing',
    ]


def test_two_files_are_compared_key_by_key():
    other = COMMITTED.replace('doc = "the room."', 'default = "x"')
    assert differences(parse(other), parse(COMMITTED)) == [
        "config.room.default: the spec has nothing, you said x",
        "config.room.doc: the spec has the room., you said nothing",
    ]


def test_a_byte_order_mark_moves_no_line():
    lines = faults("\ufeff" + HEAD.replace("room = {}", "room = 5") + TAIL)
    assert [line.rpartition("foo.toml:")[2][:2] for line in lines] == ["5:"]
