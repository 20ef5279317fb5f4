"""Messages about malformed JSON: the quick way agrees with the slow one."""

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runtime.golang.json_syntax import scan_error, syntax_error

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
TOKENS = st.lists(
    st.sampled_from(
        [
            *("{", "}", "[", "]", ",", ":", " ", "\n", '"', "\\", "1", "-", "0"),
            *(".", "e", "E", "+", "true", "fals", "null", '"a"', '"a":', "NaN", "u"),
            *("-Infinity", "\\u00", '"\\x"', '"\\u12', "\x01", "é", "'", "7", "tru"),
        ]
    ),
    max_size=14,
)


def _refuse(name: str) -> None:
    raise ValueError(name)


def is_json(text: str) -> bool:
    try:
        json.JSONDecoder(parse_constant=_refuse).raw_decode(text)
    except ValueError:
        return False
    return True


def check(text: str) -> None:
    stripped = text.lstrip(" \t\r\n")
    if stripped and not is_json(stripped):
        assert syntax_error(text) == scan_error(stripped), text


@given(TOKENS)
@example(["[", "1", ".", "5", ".", "7", "]"])
@example(["[", "0", "1"])
@example(["{", '"a":', "1", ".", "]"])
@example(["[", "-", "]"])
@example(["[", "1", "e", "+", "]"])
@example(["[", "1", ",", "]"])
@example(["{", '"a":', "1", ",", "}"])
def test_tokens(tokens: list[str]) -> None:
    check("".join(tokens))


@given(
    VALUES, st.integers(0, 200), st.sampled_from(["", "x", "}", "]", ",", '"', "\\"])
)
def test_damaged_values(value: object, at: int, put: str) -> None:
    text = json.dumps(value, ensure_ascii=at % 2 == 0)
    check(text[:at] + put + text[at + 1 :])
    check(text[:at] + put + text[at:])
    check(text[:at])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "EOF"),
        (" \n", "EOF"),
        ("{", "unexpected EOF"),
        ("[1,]", "invalid character ']' looking for beginning of value"),
        (
            '{"a":1,}',
            "invalid character '}' looking for beginning of object key string",
        ),
        ('{"a":[1 2]}', "invalid character '2' after array element"),
        ('[{"a":1 2}]', "invalid character '2' after object key:value pair"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ("[1.]", "invalid character ']' after decimal point in numeric literal"),
        ("[1e]", "invalid character ']' in exponent of numeric literal"),
        ("[NaN]", "invalid character 'N' looking for beginning of value"),
        ("[-Infinity]", "invalid character 'I' in numeric literal"),
        ('["a\nb"]', "invalid character '\\n' in string literal"),
        ('["\\x"]', "invalid character 'x' in string escape code"),
        ('["\\u12g4"]', "invalid character 'g' in \\u hexadecimal character escape"),
        ("[" * 20_000, "exceeded max depth"),
        ("[1] x", "invalid character 'x' after top-level value"),
        ("[" + "1" * 5000 + "]", "a number has too many digits"),
    ],
)
def test_messages(text: str, message: str) -> None:
    assert syntax_error(text) == message


@pytest.mark.parametrize(
    "start",
    [
        *('{"a":[' + "1," * 2_000_000, "[" + "[]," * 1_300_000, '["' + "a" * 4_000_000),
        *("[" + '{"a":1},' * 500_000, "[" + '"",' * 1_300_000, "1" * 4_000_000),
    ],
    ids=lambda start: start[:10],
)
def test_long_texts_take_no_longer_than_parsing(start: str) -> None:
    before = time.thread_time()
    assert syntax_error(f"[{start}") == "unexpected EOF"
    assert time.thread_time() - before < 5
