"""The function library of lambdas: names, signatures, implementations.

Stateful functions and `isPresent` have only their signatures here. The row code and the
evaluator implement their calls.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from runtime.tick.lambdas import conversions, gomath, moments, strings
from runtime.tick.lambdas.faults import CallError, IrregularError
from runtime.tick.lambdas.regex import Regex
from runtime.tick.lambdas.values import (
    NAMES,
    LambdaValue,
    Missing,
    Time,
    Type,
    truncated,
)
from runtime.units import Duration

Call = Callable[..., LambdaValue]
Domain = tuple[Type, ...]


class Function(NamedTuple):
    """One name of the library.

    Attributes:
        overloads: result type and implementation by the types of the arguments.
        pure: True if equal arguments always give equal results.
        stateful: True for a method of the expression's `State`.
    """

    name: str
    overloads: dict[Domain, tuple[Type, Call]]
    pure: bool = True
    stateful: bool = False

    def invoke(self, *arguments: LambdaValue) -> LambdaValue:
        """The result for arguments of any signature.

        Raises:
            IrregularError: no signature has their types, or the function fails.
        """
        found = self.overloads.get(tuple(map(type, arguments)))
        if found is None:
            raise IrregularError
        return found[1](*arguments)

    def result(self, *types: Type) -> Type:
        """The type of the result for argument types.

        Raises:
            IrregularError: no signature has these types.
        """
        found = self.overloads.get(types)
        if found is None:
            raise IrregularError
        return found[0]

    def signatures(self) -> str:
        """All signatures as error texts show them: `[(string), (int)]`."""
        texts = (f"({','.join(NAMES[t] for t in d)})" for d in self.overloads)
        return f"[{', '.join(texts)}]"


def _same(value: LambdaValue) -> LambdaValue:
    return value


def _choose(condition: bool, then: LambdaValue, otherwise: LambdaValue) -> LambdaValue:
    return then if condition else otherwise


def _present(value: LambdaValue) -> bool:
    return type(value) is not Missing


def _rand() -> int:
    return random.getrandbits(63)


def _rand_below(limit: int) -> int:
    # the text of Go's panic
    if limit <= 0:
        raise CallError("invalid argument to Int63n")
    return random.randrange(limit)


def _regex_replace(regex: Regex, text: str, template: str) -> str:
    return regex.replace(text, template)


def _stateful(*_: Any) -> LambdaValue:
    raise AssertionError("a stateful function is called on its state")


def _one(name: str, domain: Domain, result: Type, call: Call) -> Function:
    return Function(name, {domain: (result, call)})


def _conversions() -> list[Function]:
    return [
        Function(
            "bool",
            {
                (str,): (bool, conversions.bool_of_text),
                # accepts 0 and 1 only
                (int,): (bool, conversions.bool_of_number),
                (float,): (bool, conversions.bool_of_number),
                (bool,): (bool, _same),
            },
        ),
        Function(
            "int",
            {
                (str,): (int, conversions.int_of_text),
                (float,): (int, truncated),
                (bool,): (int, conversions.int_of_bool),
                (int,): (int, _same),
            },
        ),
        Function(
            "float",
            {
                (str,): (float, conversions.float_of_text),
                (int,): (float, float),
                (bool,): (float, conversions.float_of_bool),
                (float,): (float, _same),
            },
        ),
        Function(
            "string",
            {
                # in the order of the signatures in error texts
                (bool,): (str, conversions.text_of_bool),
                (int,): (str, str),
                (float,): (str, conversions.text_of_float),
                (Duration,): (str, conversions.text_of_duration),
                (str,): (str, _same),
            },
        ),
        Function(
            "duration",
            {
                (Duration,): (Duration, _same),
                (int, Duration): (Duration, conversions.duration_of_int),
                (float, Duration): (Duration, conversions.duration_of_float),
                (str, Duration): (Duration, conversions.duration_of_text),
            },
        ),
        Function(
            "humanBytes",
            {
                (int,): (str, conversions.human_bytes),
                (float,): (str, conversions.human_bytes),
            },
        ),
    ]


def _mathematics() -> list[Function]:
    return [
        *(_one(n, (float,), float, call) for n, call in gomath.UNARY.items()),
        *(_one(n, (float, float), float, call) for n, call in gomath.BINARY.items()),
        *(_one(n, (int, float), float, call) for n, call in gomath.ORDERED.items()),
        _one("pow10", (int,), float, gomath.power_of_ten),
    ]


def _texts() -> list[Function]:
    two = (str, str)
    return [
        _one("strContains", two, bool, strings.contains),
        _one("strContainsAny", two, bool, strings.contains_any),
        # Python's functions suffice for prefixes and suffixes, which are the same in
        # characters as in bytes; lengths and positions are not
        _one("strHasPrefix", two, bool, str.startswith),
        _one("strHasSuffix", two, bool, str.endswith),
        _one("strCount", two, int, strings.count),
        _one("strIndex", two, int, strings.index),
        _one("strIndexAny", two, int, strings.index_any),
        _one("strLastIndex", two, int, strings.last_index),
        _one("strLastIndexAny", two, int, strings.last_index_any),
        _one("strLength", (str,), int, strings.length),
        _one("strReplace", (str, str, str, int), str, strings.replace),
        _one("strSubstring", (str, int, int), str, strings.substring),
        _one("strToLower", (str,), str, strings.lower),
        _one("strToUpper", (str,), str, strings.upper),
        _one("strTrimSpace", (str,), str, strings.trim_space),
        _one("strTrim", two, str, strings.trim),
        _one("strTrimLeft", two, str, strings.trim_left),
        _one("strTrimRight", two, str, strings.trim_right),
        _one("strTrimPrefix", two, str, str.removeprefix),
        _one("strTrimSuffix", two, str, str.removesuffix),
        _one("regexReplace", (Regex, str, str), str, _regex_replace),
    ]


def _times() -> list[Function]:
    calls: dict[str, Call] = {
        "unixNano": moments.unix_nano,
        "minute": moments.minute,
        "hour": moments.hour,
        "weekday": moments.weekday,
        "day": moments.day,
        "month": moments.month,
        "year": moments.year,
    }
    return [
        *(_one(name, (Time,), int, call) for name, call in calls.items()),
        Function("now", {(): (Time, moments.now)}, pure=False),
    ]


def _others() -> list[Function]:
    # both branches are evaluated, and have one type
    branches = (float, int, str, bool, Regex, Time, Duration)
    return [
        Function(
            "isPresent",
            # the only function that accepts a missing value
            {(t,): (bool, _present) for t in (Missing, bool, str, int, float)},
        ),
        Function("if", {(bool, t, t): (t, _choose) for t in branches}),
        Function("rand", {(): (int, _rand), (int,): (int, _rand_below)}, pure=False),
        Function("count", {(): (int, _stateful)}, pure=False, stateful=True),
        Function("sigma", {(float,): (float, _stateful)}, pure=False, stateful=True),
        Function("spread", {(float,): (float, _stateful)}, pure=False, stateful=True),
    ]


FUNCTIONS: Final[dict[str, Function]] = {
    function.name: function
    for function in (
        *_conversions(),
        *_mathematics(),
        *_texts(),
        *_times(),
        *_others(),
    )
}
