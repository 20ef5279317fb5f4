"""Values that may pass the checks of a spec, derived from the values in those checks."""

from __future__ import annotations

import ast
import importlib
import sys
import warnings
from collections.abc import Iterable, Iterator
from re import error as re_error
from typing import Any

from scaffold.expressions.code import Type

# Python's own parser of regular expressions; it reads nearly all that RE2 does
sre: Any = importlib.import_module("re._constants")
sre_parser: Any = importlib.import_module("re._parser")

_REPEATS = (0, 1, 2, 8, 20, 64)
_LENGTH = 2_000
_MOST = 60
_INTEGERS = 1 << 63  # in 64 bits, as Go's
_CATEGORIES = {
    sre.CATEGORY_DIGIT: "1",
    sre.CATEGORY_SPACE: " ",
    sre.CATEGORY_WORD: "a",
    sre.CATEGORY_NOT_DIGIT: "a",
    sre.CATEGORY_NOT_SPACE: "a",
    sre.CATEGORY_NOT_WORD: "-",
}


def candidates(
    type_: Type, nodes: Iterable[ast.expr], first: Iterable[Any]
) -> list[Any]:
    """Values of a type, the likely ones first.

    Args:
        type_: type of the values.
        nodes: the conditions that they should pass.
        first: values to try first; the first of all is extended by compared values.
    """
    made = list(first)
    nodes = list(nodes)
    match type_:
        case Type.STR | Type.SECRET:
            made += _texts(str(made[0]), nodes)
        case Type.BOOL:
            made += [True, False]
        case Type.INT | Type.FLOAT | Type.DURATION:
            made += [c + d for c in _numbers(nodes) for d in (0, 1, -1)]
            made += [-each for each in _numbers(nodes)] + [0, 1, -1]
        case Type.LIST | Type.VALUES:
            words = [*_words(nodes), "a"]
            made += [(), *((word,) for word in words), tuple(words)]
            made += [("a",) * count for count in _lengths(nodes)]
        case Type.ANY:
            made += [*_words(nodes), *_numbers(nodes), True, False, "a", "", 0, 1]
            made += [{word: "value"} for word in _words(nodes)]
        case Type.MAP | Type.FIELDS:
            words = [*_words(nodes), "a"]
            made += [
                {},
                *({word: "value"} for word in words),
                dict.fromkeys(words, "a"),
            ]
    return _fitting(type_, made)[:_MOST]


def compared(type_: Type, node: ast.expr) -> list[Any]:
    """Values of a type that a condition compares with, and the numbers beside them."""
    match type_:
        case Type.STR | Type.SECRET:
            return _words([node])
        case Type.INT | Type.FLOAT | Type.DURATION:
            return _fitting(
                type_, [c + d for c in _numbers([node]) for d in (-1, 0, 1)]
            )
        case _:
            return []


def _fitting(type_: Type, values: list[Any]) -> list[Any]:
    """The values that a type can have, each once."""
    if type_ is Type.FLOAT:
        values = [float(each) for each in values if abs(each) <= sys.float_info.max]
    if type_ in (Type.INT, Type.DURATION):
        # conditions may compare with numbers out of range or with fractions
        values = [each for each in values if abs(each) < _INTEGERS]
        values = [int(each) for each in values if float(each).is_integer()]
    return [each for at, each in enumerate(values) if each not in values[:at]]


def _texts(sample: str, nodes: list[ast.expr]) -> Iterator[str]:
    words = _words(nodes)
    yield from (text for regex in _regexes(nodes) for text in matching(regex))
    yield from words
    for word in words:
        yield from (word + sample, sample + word, f"a{word}a")
    yield from (sample.upper(), sample.replace("-", ""), "", "a", "A", "1", "a" * 40)
    yield from (sample[:count].ljust(count, "a") for count in _lengths(nodes))


def _words(nodes: Iterable[ast.expr]) -> list[str]:
    """The texts in conditions, without regular expressions."""
    regexes = set(_regexes(nodes))
    found = [each for each in _constants(nodes) if isinstance(each, str)]
    return list(dict.fromkeys(each for each in found if each not in regexes))


def _numbers(nodes: Iterable[ast.expr]) -> list[float]:
    return [each for each in _constants(nodes) if type(each) in (int, float)]


def _lengths(nodes: Iterable[ast.expr]) -> list[int]:
    found = {int(each) + d for each in _numbers(nodes) for d in (0, 1, -1)}
    return sorted(each for each in found if 0 <= each <= _LENGTH)


def _constants(nodes: Iterable[ast.expr]) -> Iterator[Any]:
    for node in nodes:
        for each in ast.walk(node):
            if isinstance(each, ast.Constant):
                yield each.value


def _regexes(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        for each in ast.walk(node):
            match each:
                case ast.Call(
                    func=ast.Name(id="matches"),
                    args=[_, ast.Constant(value=str() as regex)],
                ):
                    yield regex


def matching(regex: str) -> list[str]:
    """Texts in which a regular expression is likely to be found."""
    try:
        with warnings.catch_warnings():
            # about syntax that RE2 reads in another way
            warnings.simplefilter("ignore")
            parsed = sre_parser.parse(regex)
    except (re_error, OverflowError, RecursionError):
        return []
    texts = (_text(parsed, repeat) for repeat in _REPEATS)
    return list(dict.fromkeys(text[:_LENGTH] for text in texts))


def _text(parsed: Iterable[Any], repeat: int) -> str:
    made = ""
    for operation, value in parsed:
        if len(made) > _LENGTH:
            break
        made += _piece(operation, value, repeat)
    return made


def _piece(operation: Any, value: Any, repeat: int) -> str:
    match operation:
        case sre.LITERAL:
            return chr(value)
        case sre.NOT_LITERAL:
            return "b" if value == ord("a") else "a"
        case sre.ANY:
            return "a"
        case sre.IN:
            return _one_of(value)
        case sre.BRANCH:
            return _text(value[1][0], repeat)
        case sre.SUBPATTERN:
            return _text(value[-1], repeat)
        case sre.MAX_REPEAT | sre.MIN_REPEAT | sre.POSSESSIVE_REPEAT:
            least, most, inner = value
            return _text(inner, repeat) * min(max(int(least), repeat), int(most))
        case sre.CATEGORY:
            return _CATEGORIES.get(value, "a")
    return ""


def _one_of(items: list[Any]) -> str:
    """A character of a class; of a negated one, one that it does not name."""
    if items[0][0] is sre.NEGATE:
        others = (each for each in "aA1-_ .é" if not _is_in(each, items[1:]))
        return next(others, "~")
    operation, value = items[0]
    return chr(value[0]) if operation is sre.RANGE else _piece(operation, value, 1)


def _is_in(char: str, items: list[Any]) -> bool:
    for operation, value in items:
        if operation is sre.LITERAL and value == ord(char):
            return True
        if operation is sre.RANGE and value[0] <= ord(char) <= value[1]:
            return True
        if operation is sre.CATEGORY and _is_of(char, value):
            return True
    return False


def _is_of(char: str, category: Any) -> bool:
    tests = {
        sre.CATEGORY_DIGIT: char.isdigit(),
        sre.CATEGORY_SPACE: char.isspace(),
        sre.CATEGORY_WORD: char.isalnum() or char == "_",
    }
    opposites = {
        sre.CATEGORY_NOT_DIGIT: sre.CATEGORY_DIGIT,
        sre.CATEGORY_NOT_SPACE: sre.CATEGORY_SPACE,
        sre.CATEGORY_NOT_WORD: sre.CATEGORY_WORD,
    }
    return tests[category] if category in tests else not tests[opposites[category]]
