"""Strings of lambdas have a maximum length, which also bounds the work with them."""

from __future__ import annotations

import itertools
import time

import pytest

from runtime.errors import EvaluationError, ScriptError
from runtime.testing.alerts import task
from runtime.testing.frames import frame_of, lambda_of, points
from runtime.tick.lambdas import compile_lambda, limits
from runtime.tick.lambdas.faults import TooMuchError
from runtime.tick.lambdas.limits import LONGEST
from runtime.tick.lambdas.regex import Regex


def nested(text: str, times: int) -> str:
    """Replace HERE in `text` by `text` itself, so many times."""
    made = '"s"'
    for _ in range(times):
        made = text.replace("HERE", made)
    return made


TOO_LONG = "the string is longer than 1048576 characters"
TOO_MUCH = "the expression takes too much work with strings"


@pytest.mark.parametrize(
    ("expression", "size", "reason"),
    [
        (nested("regexReplace(/./, HERE, '$0$0$0$0')", 9), 1000, TOO_MUCH),
        (nested("regexReplace(/(.*)/, HERE, '$1$1$1$1$1$1$1$1')", 9), 1000, TOO_LONG),
        (f"regexReplace(/.*/, \"s\", '{'$0' * 2000}')", 1000, TOO_LONG),
        (nested("strReplace(HERE, 'a', 'aaaaaaaaaaaa', -1)", 9), 1000, TOO_LONG),
        (nested("strReplace(HERE, '', 'a', -1)", 20), 1000, TOO_LONG),
        (nested("(HERE + HERE)", 8), 100_000, TOO_LONG),
        (nested("strToUpper(HERE)", 90), 100_000, TOO_MUCH),
        (nested("strToLower(HERE)", 90), 100_000, TOO_MUCH),
    ],
)
def test_strings_do_not_grow_without_end(
    expression: str, size: int, reason: str
) -> None:
    made = compile_lambda(lambda_of(expression))
    text = "a" * size + "é"
    began = time.thread_time()
    with pytest.raises(EvaluationError, match=reason):
        made.row(made.new_state(), 0, {"s": text}, {})
    assert time.thread_time() - began < 5
    # the next evaluation starts from zero
    assert isinstance(made.row(made.new_state(), 0, {"s": ""}, {}), str)


@pytest.mark.parametrize("template", ["y", "$0"])
def test_many_replacements_are_too_much_for_a_point(template: str) -> None:
    replacing = Regex("x")
    limits.begin()
    assert len(replacing.replace("x" * 7_500, template)) == 7_500
    with pytest.raises(TooMuchError, match=TOO_MUCH):
        # each takes some microseconds, and other writes wait for all of them
        replacing.replace("x" * 10_000, template)


def test_columns_of_long_strings_go_row_by_row() -> None:
    made = compile_lambda(lambda_of("strReplace(\"s\", 'a', 'aaaaaaaaaaaa', -1)"))
    lines = "\n".join(f'm s="{n}{"a" * 9000}" {n}' for n in range(200))
    assert made.columns(frame_of(points(lines))) is None
    assert made.columns(frame_of(points(lines[:90_000].rpartition("\n")[0])))


def test_a_task_outlives_strings_that_double() -> None:
    doubled = ", ".join(
        ['lambda: "s" + "s"', *(f'lambda: "s{n}" + "s{n}"' for n in range(30))]
    )
    names = ", ".join(f"'s{n}'" for n in range(31))
    running = task(f"stream|from()|eval({doubled}).as({names})|log()")
    running.points(points('m s="' + "x" * 1000 + '" 1'))
    assert running.error == ""
    assert running.nodes[2].errors == 1
    running.points(points('m s="" 2'))
    assert running.nodes[2].emitted == 1


def test_variables_of_scripts_do_not_double_without_end() -> None:
    names = ["s", *(f"s{n}" for n in range(31))]
    lines = [f"var {names[0]} = 'xxxxxxxx'"]
    for before, name in itertools.pairwise(names):
        lines.append(f"var {name} = {before} + {before}")
    with pytest.raises(ScriptError, match=TOO_LONG):
        task("\n".join([*lines, "stream|from()|log().prefix(s30)"]))


@pytest.mark.parametrize(
    "expression",
    [
        'strTrim("s", "t")',
        'strTrimLeft("s", "t")',
        'strTrimRight("s", "t")',
        'strLastIndex("s", "t")',
        'strIndexAny("t", "s")',
        'strLastIndexAny("t", "s")',
        'strContainsAny("s", "t")',
        'strIndex("s", "t")',
        'strCount("s", "t")',
    ],
)
def test_searches_take_no_time_in_proportion_to_both_strings(expression: str) -> None:
    made = compile_lambda(lambda_of(expression))
    many = "".join(map(chr, range(0x4E00, 0x9FA5)))
    for text, other in (
        ("a" * 400_000, "b" + "a" * 200_000),
        ("\u9fa4" * 400_000, many),
    ):
        began = time.thread_time()
        made.row(made.new_state(), 0, {"s": text, "t": other}, {})
        assert time.thread_time() - began < 2


@pytest.mark.parametrize(
    ("expression", "text", "reason"),
    [
        # states of the expression that outgrow RE2's memory
        ('"s" =~ /(a?){1000}b/', "a" * 100_000, "too_large"),
        ("regexReplace(/(a?){1000}b/, \"s\", '')", "a" * 100_000, "too_large"),
        ('"s" !~ /[ab]*a[ab]{900}$/', "ab" * 100_000, "too_large"),
        # searches that look at all that follows for a match of one character
        ("regexReplace(/a(.*b)?/, \"s\", '')", "a" * 1_000_000, "too_long"),
        ("regexReplace(/a([^b]*b)?/, \"s\", '')", "a" * 1_000_000, "too_long"),
        ("regexReplace(/a(\\w+;)?/, \"s\", 'b')", "a" * 1_000_000, "too_long"),
        (nested("regexReplace(/(.)(.*;)?/, HERE, '')", 2), "a" * 100_000, "too_long"),
    ],
)
def test_searches_come_to_an_end(
    expression: str, text: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_TIME_S", 0.02)
    made = compile_lambda(lambda_of(expression))
    reasons = {
        "too_large": "may be searched with such a large regular expression",
        "too_long": "searches strings for too long",
    }
    with pytest.raises(EvaluationError, match=reasons[reason]):
        made.row(made.new_state(), 0, {"s": text}, {})


def test_columns_of_long_searches_go_row_by_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "WORK", 1 << 17)
    made = compile_lambda(lambda_of('"s" =~ /(a?){1000}b/'))
    lines = [f'm s="{n}{"a" * 200}" {n}' for n in range(50)]
    assert made.columns(frame_of(points("\n".join(lines)))) is None
    assert made.columns(frame_of(points("\n".join(lines[:2]))))


def test_each_row_may_search_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WORK", 1 << 17)
    made = compile_lambda(lambda_of('"s" =~ /x{100}(y|z)/'))
    state = made.new_state()
    for number in range(20):
        assert not made.row(state, 0, {"s": f"{number}{'x' * 10_000}"}, {})


def test_only_short_texts_are_remembered() -> None:
    limits.begin()
    regex = Regex("a$")
    assert regex.matches("b" * LONGEST + "a")
    assert regex.matches("a")
    assert regex._remembered.cache_info().currsize == 1
