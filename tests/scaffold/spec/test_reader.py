"""Faults: their places, and one for each cause."""

from __future__ import annotations

import re

import pytest

from tests.scaffold.spec.small import HEAD, TAIL, faults

LEVELS = "[level.x]\nOK = 'a'\n"


def test_faults_have_line_key_and_suggestion():
    text = HEAD + "[option]\nroom = { defualt = 'config.room' }\n" + TAIL
    assert faults(text) == [
        "foo.toml:7: option.room.defualt: unknown key (allowed: type, doc, tick, alias, "
        "formerly, default, bind, initial, args, of, scope, examples; did you mean "
        "default?)"
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


def test_a_byte_order_mark_moves_no_line():
    lines = faults("\ufeff" + HEAD.replace("room = {}", "room = 5") + TAIL)
    assert [line.rpartition("foo.toml:")[2][:2] for line in lines] == ["5:"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[response]\nmessage = '${level.room}'\n", "[response] can use status, body"),
        ("[response]\nthat = 'server.url'\n", "[response] can use status, body"),
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


def test_a_misspelled_key_is_not_missing_too():
    lines = faults(HEAD + TAIL.replace("url =", "ulr =", 1))
    assert [line.split(": ")[1] for line in lines] == ["request[1].ulr"]
    lines = faults(
        HEAD + TAIL.replace("[request.json]", "[request.auth]\ntokn = 'x'\n[x]")
    )
    assert [line.split(": ")[1] for line in lines] == ["request[1].auth.tokn", "x"]
