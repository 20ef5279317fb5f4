"""JSON input. The texts are those of Go's encoding/json."""

import json

import pytest

from runtime.golang.json_decode import (
    JsonError,
    anything,
    boolean,
    decode,
    first_value,
    integer,
    mapping,
    plain,
    sequence,
    string,
    struct,
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "EOF"),
        (" \n", "EOF"),
        ("{", "unexpected EOF"),
        ('{"a"', "unexpected EOF"),
        ("[1,2", "unexpected EOF"),
        ('"abc', "unexpected EOF"),
        ("tru", "unexpected EOF"),
        ("-", "unexpected EOF"),
        ("bogus", "invalid character 'b' looking for beginning of value"),
        ("'", "invalid character '\\'' looking for beginning of value"),
        ("é", "invalid character 'Ã' looking for beginning of value"),
        ('{"a":}', "invalid character '}' looking for beginning of value"),
        ("[NaN]", "invalid character 'N' looking for beginning of value"),
        (
            '{"a":1,}',
            "invalid character '}' looking for beginning of object key string",
        ),
        ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ("[01]", "invalid character '1' after array element"),
        ('"a\n"', "invalid character '\\n' in string literal"),
        ('"\\x"', "invalid character 'x' in string escape code"),
        ('"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"),
        ("[trux]", "invalid character 'x' in literal true (expecting 'e')"),
        ("-x", "invalid character 'x' in numeric literal"),
        ("[1.x]", "invalid character 'x' after decimal point in numeric literal"),
        ("[1e]", "invalid character ']' in exponent of numeric literal"),
    ],
)
def test_what_is_no_json(text: str, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        first_value(text.encode())
    assert str(caught.value) == message


def test_only_the_first_value_counts() -> None:
    assert plain(first_value(b' {"id":"h"} junk')) == {"id": "h"}


def test_what_is_no_text_is_replaced() -> None:
    assert first_value(b'"a\xff"') == "a\ufffd"
    assert first_value(b'"\\ud800"') == "\ufffd"
    assert first_value(b'"\\ud83d\\ude00"') == "\U0001f600"


HANDLER = struct(
    "alert.HandlerSpec",
    {
        "id": string,
        "on": boolean,
        "count": integer(),
        "list": sequence(string, "[]string"),
        "options": mapping(anything, "map[string]interface {}"),
    },
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", {"id": "old"}),
        ("null", {"id": "old"}),
        ('{"id":null,"nope":1}', {"id": "old"}),
        ('{"ID":"a","iD":"b"}', {"id": "b"}),
        (
            '{"options":{"a":1},"OPTIONS":{"b":2}}',
            {"id": "old", "options": {"a": 1.0, "b": 2.0}},
        ),
        ('{"list":["a",null]}', {"id": "old", "list": ["a", None]}),
    ],
)
def test_objects_of_known_keys(text: str, expected: object) -> None:
    assert decode(text.encode(), HANDLER, {"id": "old"}) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "array into Go value of type alert.HandlerSpec"),
        ('"a"', "string into Go value of type alert.HandlerSpec"),
        ('{"id":5}', "number into Go struct field HandlerSpec.id of type string"),
        ('{"id":{}}', "object into Go struct field HandlerSpec.id of type string"),
        ('{"on":"a"}', "string into Go struct field HandlerSpec.on of type bool"),
        (
            '{"count":1.5}',
            "number 1.5 into Go struct field HandlerSpec.count of type int",
        ),
        (
            '{"list":"a","id":5}',
            "string into Go struct field HandlerSpec.list of type []string",
        ),
        (
            '{"list":[true]}',
            "bool into Go struct field HandlerSpec.list of type string",
        ),
    ],
)
def test_the_first_value_of_a_wrong_type_is_told(text: str, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        decode(text.encode(), HANDLER, {})
    assert str(caught.value) == f"json: cannot unmarshal {message}"


def test_commas_and_brackets_of_a_string_are_no_values() -> None:
    script = "|groupBy(" + ", ".join(["'t'"] * 120_000) + ")" + "[{" * 60_000
    body = json.dumps({"script": script, "x": 'a"\\'}).encode()
    assert dict(first_value(body))["script"] == script
    with pytest.raises(JsonError, match="too many values"):
        first_value(json.dumps({"x": [script, *range(100_002)]}).encode())
    # a string without an end is looked through once
    with pytest.raises(JsonError):
        first_value(b'{"x": "' + b'\\",' * 150_000)
