"""Expressions compiled to Python functions of one point.

The generated code is for points whose values have the types that the expression expects.
It is a single Python expression for each lambda:

    "usage" > 90.0 AND "host" != 'a'
    ((v0 > 90.0 if type(v0) is float or type(v0) is int else compute('>', v0, 90.0))
     and (v1 != 'a' if type(v1) is str else irregular()))

Anything else raises `IrregularError`. The evaluator then starts again, from the previous
state, and returns a value or raises an error with Kapacitor's text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from runtime.errors import EvaluationError
from runtime.golang.quoting import quote
from runtime.tick.lambdas import limits
from runtime.tick.lambdas.arithmetic import (
    COMPARISONS,
    LOGICAL,
    OPERATIONS,
    negated,
)
from runtime.tick.lambdas.build import folded, parts, references
from runtime.tick.lambdas.evaluator import (
    Binary,
    Call,
    Constant,
    Evaluator,
    Nested,
    Reference,
    Scope,
    Unary,
    is_boolean,
)
from runtime.tick.lambdas.faults import IrregularError
from runtime.tick.lambdas.functions import FUNCTIONS, Function
from runtime.tick.lambdas.state import State
from runtime.tick.lambdas.values import (
    MISSING,
    RESULTS,
    LambdaValue,
    Time,
    Type,
)
from runtime.units import Duration, Nanoseconds

Row = Callable[
    [State, Nanoseconds, Mapping[str, Any], Mapping[str, str]],
    LambdaValue,
]
Finish = Callable[[Scope], LambdaValue]

# Below this, ints and floats compare equally, exactly and as floats
_EXACT = 2**53
_PYTHON = {"==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_ORDERING = frozenset(("<", "<=", ">", ">="))
# Functions and operators that count as work with strings.
_TEXTUAL = frozenset(
    ("regexReplace", "strReplace", "strToLower", "strToUpper", "=~", "!~")
)
_PRESENT = frozenset((bool, str, int, float))


@dataclass(slots=True)
class Code:
    """A piece of generated code.

    Attributes:
        text: a Python expression.
        type: the type of its value, if it is known without a point.
        simple: True for a name or literal, which can be repeated.
    """

    text: str
    type: Type | None = None
    simple: bool = False


@dataclass(slots=True)
class Generator:
    """Writes the code of one expression.

    Attributes:
        names: the local variable of each reference.
        globals: objects that the code refers to.
        state: the name under which the code finds its state.
    """

    names: dict[str, str]
    globals: dict[str, Any] = field(default_factory=dict)
    state: str = "state"
    temporaries: int = 0

    def code(self, node: Evaluator) -> Code:
        """The code of a node's value."""
        match node:
            case Constant(value):
                return self._constant(value)
            case Reference("time"):
                return Code("Time(time)", Time)
            case Reference(name):
                return Code(self.names[name], None, simple=True)
            case Unary(operator, operand):
                return self._unary(operator, self.code(operand))
            case Binary(operator, left, right):
                if operator in LOGICAL:
                    return self._logical(node)
                if operator in COMPARISONS:
                    return self._comparison(operator, self.code(left), self.code(right))
                return self._arithmetic(operator, self.code(left), self.code(right))
            case Call():
                return self._call(node)
            case Nested():
                return self._nested(node)
        raise AssertionError(f"no code for {node!r}")

    def keep(self, value: object) -> str:
        """The name of a global for `value`."""
        name = f"k{len(self.globals)}"
        self.globals[name] = value
        return name

    def _temporary(self) -> str:
        self.temporaries += 1
        return f"t{self.temporaries}"

    def _constant(self, value: LambdaValue) -> Code:
        of_type = type(value)
        plain = of_type in (str, bool, int)
        if of_type is float:
            plain = math.isfinite(value)
        if not plain:
            return Code(self.keep(value), of_type, simple=True)
        text = repr(value)
        return Code(f"({text})" if text[0] == "-" else text, of_type, simple=True)

    def _bound(self, code: Code) -> tuple[str, str]:
        """Code that evaluates and stores the value, and code that reads it afterwards."""
        if code.simple:
            return code.text, code.text
        name = self._temporary()
        return f"({name} := {code.text})", name

    def _unary(self, operator: str, operand: Code) -> Code:
        first, again = self._bound(operand)
        if operator == "!":
            if operand.type is bool:
                return Code(f"(not {operand.text})", bool)
            # the test of a conditional is evaluated first, so the value is bound there
            return Code(
                f"(not {again} if type({first}) is bool else irregular())", bool
            )
        if operand.type is float:
            return Code(f"(-{operand.text})", float)
        # ints are negated by `minus`, as the least int64 is its own negative
        return Code(
            f"(-{again} if type({first}) is float else minus({again}))", operand.type
        )

    def _logical(self, node: Binary) -> Code:
        word = "and" if node.operator == "AND" else "or"
        # as in the reference, both types are checked before the left value: a wrong type
        # on the right is an error even if the left side decides
        checks = [
            f"({self._type(side)} is bool or irregular())"
            for side in (node.left, node.right)
            if not is_boolean(side)
        ]
        left, right = self.code(node.left).text, self.code(node.right).text
        if _is_plain(node.left, node.operator):
            # chains have no nested brackets, because Python limits their depth
            left = left[1:-1]
        text = f"({left} {word} {right})"
        if checks:
            text = f"({' and '.join(checks)} and {text})"
        return Code(text, bool)

    def _type(self, node: Evaluator) -> str:
        """Code that determines the type of a node without evaluating it."""
        match node:
            case Constant(value):
                return self.keep(type(value))
            case Reference("time"):
                return "Time"
            case Reference(name):
                return f"type({self.names[name]})"
            case Unary("-", operand) | Nested(operand):
                return self._type(operand)
            case Binary(operator, left, right) if not is_boolean(node):
                sides = f"{self._type(left)}, {self._type(right)}"
                return f"result_type({operator!r}, {sides})"
            case Call(name, arguments):
                if name not in FUNCTIONS:
                    return "irregular()"
                types = ", ".join(map(self._type, arguments))
                return f"{self.keep(FUNCTIONS[name].result)}({types})"
        return "bool"

    def _comparison(self, operator: str, left: Code, right: Code) -> Code:
        if operator in _PYTHON:
            # a literal and a value of unknown type, as in nearly all conditions
            for literal, other in ((left, right), (right, left)):
                test = _same_type_test(operator, literal)
                if test and other.type is None:
                    return self._tested(operator, left, right, other, test)
            # types that are known without a point need no test
            if left.type is right.type is float:
                return Code(f"({left.text} {operator} {right.text})", bool)
            if left.type is None or right.type is None:
                return self._both_floats(operator, left, right, bool)
        elif right.type is not None and left.simple:
            match = f"{right.text}.matches({left.text})"
            match = match if operator == "=~" else f"not {match}"
            if right.simple and right.text in self.globals:
                test = f"type({left.text}) is str"
                return Code(f"({match} if {test} else irregular())", bool)
        return self._computed(operator, left, right)

    def _tested(
        self, operator: str, left: Code, right: Code, unknown: Code, test: str
    ) -> Code:
        """A comparison with a literal: fast if the other side passes `test`."""
        name = unknown.text if unknown.simple else self._temporary()
        sides = [name if side is unknown else side.text for side in (left, right)]
        fast = f"{sides[0]} {operator} {sides[1]}"
        slow = f"compute({operator!r}, {sides[0]}, {sides[1]})"
        first = name if unknown.simple else f"({name} := {unknown.text})"
        test = test.replace("FIRST", first).replace("VALUE", name)
        return Code(f"({fast} if {test} else {slow})", bool)

    def _both_floats(
        self, operator: str, left: Code, right: Code, result: Type | None
    ) -> Code:
        first_left, again_left = self._bound(left)
        first_right, again_right = self._bound(right)
        # & instead of `and`, as the slow side needs both values
        tests = [
            f"(type({first}) is float)"
            for first, side in ((first_left, left), (first_right, right))
            if side.type is not float or not side.simple
        ]
        test = " & ".join(tests) or "True"
        # zero is left to `compute`: Python raises, whereas Go returns infinity or NaN
        if operator == "/":
            test = f"({test}) and {again_right}"
        return Code(
            f"({again_left} {operator} {again_right} if {test} "
            f"else compute({operator!r}, {again_left}, {again_right}))",
            result,
        )

    def _arithmetic(self, operator: str, left: Code, right: Code) -> Code:
        known = None
        if left.type is not None and right.type is not None:
            operation = OPERATIONS.get((operator, left.type, right.type))
            known = operation.type if operation else None
        # tests for floats, as most fields are; other types take an additional test
        if operator != "%" and {left.type, right.type} <= {float, None}:
            return self._both_floats(operator, left, right, known)
        made = self._computed(operator, left, right)
        made.type = known
        return made

    def _computed(self, operator: str, left: Code, right: Code) -> Code:
        return Code(
            f"compute({operator!r}, {left.text}, {right.text})",
            bool if operator in COMPARISONS else None,
        )

    def _call(self, node: Call) -> Code:
        function = FUNCTIONS.get(node.name)
        if function is None:
            return Code("irregular()")
        arguments = [self.code(each) for each in node.arguments]
        if node.name == "isPresent" and len(arguments) == 1 and arguments[0].simple:
            value = arguments[0].text
            return Code(
                f"({value} is not MISSING and (type({value}) in PRESENT "
                "or irregular()))",
                bool,
            )
        # known if all signatures have the same result type
        results = {result for result, _ in function.overloads.values()}
        known = results.pop() if len(results) == 1 else None
        return Code(self._invocation(function, arguments), known)

    def _invocation(self, function: Function, arguments: list[Code]) -> str:
        texts = [each.text for each in arguments]
        if function.stateful:
            target = f"{self.state}.{function.name}"
        else:
            target = self.keep(function.invoke)
        if list(function.overloads) == [(float,)]:
            # a single float, the most frequent signature, is tested here, not looked up
            first, again = self._bound(arguments[0]) if arguments else ("", "")
            if len(arguments) != 1:
                return "irregular()"
            if not function.stateful:
                target = self.keep(function.overloads[(float,)][1])
            return f"({target}({again}) if type({first}) is float else irregular())"
        # the other stateful functions take no arguments
        if function.stateful and arguments:
            return "irregular()"
        return f"{target}({', '.join(texts)})"

    def _nested(self, node: Nested) -> Code:
        # replaced while this part is generated, which has a state of its own
        outer = self.state
        self.state = self.keep(node.state)
        code = self.code(node.expression)
        self.state = outer
        return code


def compiled(
    node: Evaluator, finish: Finish, results: frozenset[Type] = RESULTS
) -> Row:
    """The function of an expression.

    Args:
        node: the expression.
        finish: evaluates the expression from the start, if the fast code cannot be used.
        results: types that the function may return without calling `finish`.
    """
    limits.begin()
    names = references(parts(node))
    slow = _slow(names, finish)
    generator = Generator({n: f"v{i}" for i, n in enumerate(names) if n != "time"})
    source = _source(node, generator, results)
    environment = generator.globals | {
        "IrregularError": IrregularError,
        "MISSING": MISSING,
        "PRESENT": _PRESENT,
        "RESULTS": results,
        "Time": Time,
        "ambiguous": _ambiguous,
        "begin": limits.begin,
        "compute": _compute,
        "irregular": _irregular,
        "minus": _minus,
        "result_type": _result_type,
        "slow": slow,
    }
    try:
        exec(compile(source, "<lambda>", "exec"), environment)
    except (SyntaxError, MemoryError, RecursionError):
        # nested too deeply for Python: use the evaluator only
        return _begun(slow)
    made: Row = environment["row"]
    return made


def _source(node: Evaluator, generator: Generator, results: frozenset[Type]) -> str:
    # the evaluator is not folded: its errors need the text of the script
    code = generator.code(folded(node))
    states = [generator.state] + [
        name for name, value in generator.globals.items() if isinstance(value, State)
    ]
    # only states that are used, as saving takes a tuple for each point
    states = [name for name in states if f"{name}." in code.text]
    lines = ["def row(state, time, fields, tags):"]
    for name, variable in generator.names.items():
        key = repr(name)
        lines += [
            f"    if {key} in tags:",
            f"        if {key} in fields:",
            f"            raise ambiguous({key})",
            f"        {variable} = tags[{key}]",
            f"    elif {key} in fields:",
            f"        {variable} = fields[{key}]",
            "    else:",
            f"        {variable} = MISSING",
        ]
    if any(_spends(each) for each in parts(node)):
        lines.append("    begin()")
    # saved for the evaluator, which starts again and must not count twice
    lines += [f"    saved_{name} = {name}.save()" for name in states]
    lines.append("    try:")
    if code.type in results:
        lines.append(f"        return {code.text}")
    else:
        lines += [
            f"        result = {code.text}",
            "        if type(result) in RESULTS:",
            "            return result",
        ]
    lines += ["    except IrregularError:", "        pass"]
    # undoes calls that the evaluator will repeat
    lines += [f"    {name}.restore(saved_{name})" for name in states]
    lines.append("    return slow(state, time, fields, tags)")
    return "\n".join(lines)


def _slow(names: tuple[str, ...], finish: Finish) -> Row:
    def slow(
        state: State,
        time: Nanoseconds,
        fields: Mapping[str, Any],
        tags: Mapping[str, str],
    ) -> LambdaValue:
        values: dict[str, LambdaValue] = {}
        for name in names:
            if name == "time":
                values[name] = Time(time)
            elif name in fields:
                if name in tags:
                    raise _ambiguous(name)
                values[name] = fields[name]
            else:
                values[name] = tags.get(name, MISSING)
        return finish(Scope(values, state))

    return slow


def _begun(slow: Row) -> Row:
    def begun(
        state: State,
        time: Nanoseconds,
        fields: Mapping[str, Any],
        tags: Mapping[str, str],
    ) -> LambdaValue:
        limits.begin()
        return slow(state, time, fields, tags)

    return begun


def _spends(node: Evaluator) -> bool:
    match node:
        case Call(name) | Binary(name):
            return name in _TEXTUAL
    return False


def _is_plain(node: Evaluator, operator: str) -> bool:
    """True if the node is another AND (or OR), of parts known to be boolean."""
    return (
        isinstance(node, Binary)
        and node.operator == operator
        and is_boolean(node.left)
        and is_boolean(node.right)
    )


def _same_type_test(operator: str, literal: Code) -> str:
    """The test for values that Python can compare with a literal; "" if there is none."""
    if not literal.simple or literal.type is None:
        return ""
    if literal.type in (int, float) and literal.text[0] in "(0123456789":
        if abs(float(literal.text.strip("()"))) >= _EXACT:
            return ""
        return "type(FIRST) is float or type(VALUE) is int"
    if literal.type is str and operator not in _ORDERING:
        return "type(FIRST) is str"
    if literal.type is bool and operator not in _ORDERING:
        return "type(FIRST) is bool"
    return ""


def _ambiguous(name: str) -> EvaluationError:
    return EvaluationError(f"cannot have field and tags with same name {quote(name)}")


def _irregular() -> NoReturn:
    raise IrregularError


def _compute(operator: str, left: LambdaValue, right: LambdaValue) -> LambdaValue:
    operation = OPERATIONS.get((operator, type(left), type(right)))
    if operation is None:
        raise IrregularError
    return operation.compute(left, right)


def _minus(value: LambdaValue) -> LambdaValue:
    if type(value) is not int and type(value) is not Duration:
        raise IrregularError
    return negated(value)


def _result_type(operator: str, left: Type, right: Type) -> Type:
    operation = OPERATIONS.get((operator, left, right))
    if operation is None:
        raise IrregularError
    return operation.type
