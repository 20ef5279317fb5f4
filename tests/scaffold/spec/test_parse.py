"""Whole specs: refusals, and differences between two."""

from __future__ import annotations

import pytest

from scaffold.flags import Flags
from scaffold.spec.parse import differences, from_flags, parse
from tests.scaffold.spec.small import HEAD, TAIL, faults

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


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x = [", "invalid TOML"),
        ("#" + "x" * 70_000, "larger than 64 KiB"),
        ("x = " + "[" * 30 + "]" * 30, "nested deeper than 20"),
        ("x = " + "{a=" * 25 + "1" + "}" * 25, "nested deeper than 20"),
        (HEAD, "request: is missing"),
        (HEAD + TAIL + "[transport]\nkind = 'x'\n", "transport: unknown key"),
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
