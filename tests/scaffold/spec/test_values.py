"""Values of requests: strings, lists and tables with expressions."""

from __future__ import annotations

import ast

import pytest

from scaffold.errors import SpecError
from scaffold.spec.parse import parse
from tests.scaffold.spec.quoll import HEAD, refused

LISTS = ("config.teams", "opt.to", "['a', event.id]")


@pytest.mark.parametrize(
    ("request_", "where"),
    [
        ('[request.json]\n"${event.id}" = 1\n', "request[1].json.${event.id}"),
        ('query = { "a${event.id}" = "x" }\n', "request[1].query.a${event.id}"),
        ('[request.form]\n"${event.id}?" = "x"\n', "request[1].form.${event.id}?"),
    ],
)
def test_keys_are_not_filled_in(request_, where):
    assert refused(request_) == [
        (
            where,
            'contains ${…}, but keys are sent as they are; merge a map, "..." = '
            '{ "@for" = "k, v in MAP", "${k}" = "${v}" }',
        )
    ]


@pytest.mark.parametrize(
    "value", ["inf", "-inf", "nan", "9223372036854775808", "1" * 400]
)
@pytest.mark.parametrize(
    "place",
    [
        "[request.json]\na = {}\n", "[request.json]\na = [[{}]]\n", "query = {{ a = {} }}\n",
        "[request.form]\na = {}\n", "[[example]]\nwant = {{ json = {{ a = [{}] }} }}\n",
        "[[example]]\nevent = {{ fields = {{ a = {} }} }}\n",
        "text = \"${{level.x}}\"\n[level.x]\nOK = {}\n", "[test]\nn = {{ value = {}, feeds = \"event.message\" }}\n",
    ],
)  # fmt: skip
def test_numbers_that_json_cannot_say_are_refused(value, place):
    assert refused(place.format(value))


def test_values_that_multiply_are_refused():
    text = HEAD + 'text = "${a11}"\n[let]\na0 = ["x", "y"]\n'
    for n in range(1, 12):
        items = ", ".join([f'"${{a{n - 1}}}"'] * 10)
        text += f"a{n} = [{items}]\n"
    with pytest.raises(SpecError, match="makes a value of more than"):
        parse(text)


@pytest.mark.parametrize(
    "double",
    [
        '"${%s}${%s}"', '"${%s + %s}"', '"${replace(%s, \'a\', %s)}"', '"${join([%s, %s], \',\')}"',
        '"${json([%s, %s])}"', '["${%s}", "${%s}"]', '{ a = "${%s}", b = "${%s}" }',
        '[{ "@for" = "x in [%s, %s]", "@value" = "${x}" }]',
    ],
)  # fmt: skip
def test_texts_that_double_are_refused(double):
    text = HEAD + 'text = "${a40}"\n[let]\na0 = "aaaa ${event.id}"\n'
    for n in range(1, 41):
        text += f"a{n} = {double % (f'a{n - 1}', f'a{n - 1}')}\n"
    with pytest.raises(SpecError, match=r"makes a value of more than|combines a"):
        parse(text)


@pytest.mark.parametrize("value", LISTS)
@pytest.mark.parametrize(
    "place",
    [
        'text = "${{{}}}"\n', 'path = ["${{{}}}"]\n', 'path = "a/${{{}}}"\n',
        'query = {{ a = "to ${{{}}}" }}\n', '[request.form]\na = "to ${{{}}}"\n',
        '[request.json]\na = "to ${{{}}}"\n', 'headers = {{ X = "${{{}}}, b" }}\n',
    ],
)  # fmt: skip
def test_a_list_inside_a_string_is_joined_by_the_author(place, value):
    [(_, problem)] = refused(place.format(value))
    assert problem.startswith("is a list of strings inside a string; use ${join(")
    assert parse(HEAD + place.format(f"join({value}, ',')"))


@pytest.mark.parametrize("value", ["event.tags", "event.fields", "{'a': 1}"])
def test_a_map_inside_a_string_is_printed_by_the_author(value):
    [(_, problem)] = refused(f'text = "${{{value}}}"\n')
    assert "use ${json(…)}, or ${text(…)}" in problem
    assert parse(HEAD + f'text = "${{text({value})}}"\n')


@pytest.mark.parametrize(
    ("value", "shown"),
    [("5", "5"), ("true", "true"), ("1.0", "1"), ("-2", "-2")],
)
def test_constants_of_a_form_are_strings(value: str, shown: str) -> None:
    spec = parse(f"{HEAD}[request.form]\nn = {value}\n")
    body = spec.requests[0].body
    assert body is not None
    assert ast.unparse(body.node) == f"{{'n': '{shown}'}}"
