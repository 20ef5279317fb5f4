"""Loops in tables and lists, and the keys that they create."""

from __future__ import annotations

import ast

import pytest

from scaffold.errors import SpecError
from scaffold.spec.parse import parse

HEAD = (
    '[handler]\nname = "foo"\n[config]\nurl = {}\nprefix = {}\nlabels = { type = "map" }\n'
    '[option]\nto = { type = "list" }\nanything = { type = "any" }\n'
    '[[request]]\nurl = "${config.url}"\n'
)


def body(text: str) -> str:
    """The Python of a JSON body."""
    [request] = parse(HEAD + text).requests
    assert request.body is not None
    return ast.unparse(request.body.node)


def faults(text: str) -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as caught:
        parse(HEAD + text)
    return [(each.where, each.problem) for each in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        (
            'json = { "..." = { "@for" = "k, v in config.labels", "${k}" = "${v}" } }',
            "{**config.labels}",
        ),
        (
            'json = { a = 1, "..." = { "@for" = "x in opt.to", "to_${x}" = true } }',
            "{'a': 1, **{f'to_{x}': True for x in options.to}}",
        ),
        (
            'json = { "..." = { "@for" = "k, v in opt.anything", "${k}?" = "${v}" } }',
            "{k: v for k, v in entries_of(options.anything).items() if v}",
        ),
        (
            'json = { "..." = { "@for" = "k, v in event.fields", "@if" = "v > 1", '
            '"${k}" = "${text(v)}" } }',
            "{k: text(v) for k, v in event.data.fields.items() if more(v, 1)}",
        ),
        (
            'json = { "..." = ["event.tags", { "@for" = "x in opt.to", "${x}" = 1 }] }',
            "{**event.data.tags, **{x: 1 for x in options.to}}",
        ),
        (
            'json = [{ "@for" = "k, v in event.tags", "${k}" = "${v}", n = 1 }]',
            "[{k: v, 'n': 1} for k, v in event.data.tags.items()]",
        ),
        (
            'json = [{ "@for" = "x in opt.to", inner = { "${x}?" = "${x}", b = 1 } }]',
            "[{'inner': {**given(x, x), 'b': 1}} for x in options.to]",
        ),
        (
            'json = { "..." = { "@for" = "v, k in config.labels", "${k}" = "${v}" } }',
            "{k: v for v, k in config.labels.items()}",
        ),
        ('json = [{ "@for" = "x in opt.to", "@value" = "${x}" }]', "list(options.to)"),
        (
            'json = [1, { "@for" = "x in opt.to", "@value" = "${x}" }]',
            "[1, *options.to]",
        ),
        (
            'form = { "..." = { "@for" = "k, v in event.fields", "${k}" = "${v}" } }',
            "{k: text(v) for k, v in event.data.fields.items()}",
        ),
    ],
)
def test_loops(text: str, made: str) -> None:
    assert body(text) == made


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        # keys outside of loops
        ('json = { "${event.id}" = 1 }', "json.${event.id}", "contains ${…}, but keys"),
        ('form = { "a${event.id}" = 1 }', "form.a${event.id}", "contains ${…}"),
        (
            'query = { "${event.id}" = "x" }\njson = {}',
            "query.${event.id}",
            'merge a map, "..." = { "@for" = "k, v in MAP", "${k}" = "${v}" }',
        ),
        # keys inside of them
        (
            'json = { "..." = { "@for" = "x in opt.to", "${config.prefix}${x}" = 1 } }',
            "json.....${config.prefix}${x}",
            "uses config.prefix; a key can use names of the loop and the event",
        ),
        (
            'json = { "..." = { "@for" = "x in opt.to", "${y}" = 1 } }',
            "json.....${y}",
            "unknown name 'y'",
        ),
        (
            'json = { "..." = { "@for" = "x in opt.to", "${event.tags}" = 1 } }',
            "json.....${event.tags}",
            "is a map of strings inside a string",
        ),
        # entries
        (
            'json = { "..." = { "@for" = "x in opt.to", a = "${x}" } }',
            "json.....a",
            "is the same key for each item",
        ),
        (
            'json = { "..." = { "@for" = "x in opt.to" } }',
            "json....",
            "makes one entry of each item; write one key",
        ),
        (
            'json = { "..." = { "@for" = "x in opt.to", "${x}" = 1, "b${x}" = 1 } }',
            "json....",
            "makes one entry of each item; write one key",
        ),
        (
            'json = { "..." = { "@for" = "x in opt.to", "@value" = 1 } }',
            "json....",
            "makes one entry of each item; write one key",
        ),
        (
            'json = { "..." = { a = 1 } }',
            "json....",
            'must be a map or a loop such as { "@for" = "k, v in MAP"',
        ),
        # names
        (
            'json = [{ "@for" = "k, v in opt.to", a = "${k}" }]',
            "json[1].@for",
            "'k, v' needs a map, not a list of strings",
        ),
        (
            'json = [{ "@for" = "k, k in event.tags", a = "${k}" }]',
            "json[1].@for",
            "'k' occurs twice",
        ),
        (
            'json = [{ "@for" = "k, v, w in event.tags", a = "${k}" }]',
            "json[1].@for",
            "is not a loop; write 'x in EXPRESSION', or 'k, v in EXPRESSION' for a map",
        ),
        (
            'json = [{ "@for" = "k, event in event.tags", a = "${k}" }]',
            "json[1].@for",
            "'event' is already defined",
        ),
        # merges in parameters
        (
            'query = { "..." = "event.id" }\njson = {}',
            "query....",
            "must be a map, not a string",
        ),
        (
            'headers = { "..." = 5 }\njson = {}',
            "headers....",
            "must be an expression in quotes",
        ),
        (
            'headers = { "..." = { "@for" = "x in opt.to", X-A = "${x}" } }\njson = {}',
            "headers.....X-A",
            "is the same key for each item",
        ),
    ],
)
def test_errors(text: str, where: str, problem: str) -> None:
    found = faults(text)
    places = [at for at, told in found if problem in told]
    assert places == [f"request[1].{where}"], found


def test_maps_in_headers_are_strings() -> None:
    text = 'headers = { "..." = ["event.tags", "event.fields"] }\njson = {}'
    [request] = parse(HEAD + text).requests
    made = [ast.unparse(each.code.node) for each in request.headers.values()]
    assert made == ["event.data.tags", "texts_of(event.data.fields)"]


def test_a_key_that_is_not_repeated_stays_an_entry() -> None:
    [request] = parse(HEAD + 'json = { a = 1, "..." = "event.tags" }').requests
    assert request.body is not None
    assert [each.key for each in request.body.entries] == ["a"]
    assert request.body.is_open
