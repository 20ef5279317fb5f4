"""Tokens to a syntax tree, with Go's error texts.

Source: Go text/template/parse/parse.go.
"""

from __future__ import annotations

import ast as python
import re
from collections.abc import Container
from dataclasses import dataclass, field

from runtime.golang.quoting import quote
from runtime.golang.templates import nodes
from runtime.golang.templates.errors import TemplateError
from runtime.golang.templates.lexer import Token, tokens
from runtime.golang.values import Int

_OPERANDS = frozenset(
    [
        "bool",
        "character",
        "dot",
        "field",
        "identifier",
        "number",
        "nil",
        "raw",
        "string",
        "variable",
        "left_paren",
    ]
)
_CONSTANT = (nodes.Literal, nodes.Dot)


@dataclass(slots=True)
class Tree:
    """A parsed template.

    Attributes:
        body: the main template.
        defined: templates made by `define` and `block`, by name.
        slots: number of variables that may exist at a time; slot 0 is `$`.
    """

    body: list[nodes.Statement]
    defined: dict[str, list[nodes.Statement]] = field(default_factory=dict)
    slots: int = 1


# Enough for any template that a person writes, and shallow enough for Python's stack.
_MAX_DEPTH = 100


def parse(source: str, name: str, functions: Container[str]) -> Tree:
    """The tree of `source`; `functions` are the names that may be called.

    Raises:
        TemplateError: `template: NAME:LINE: …`.
    """
    return _Parser(source, name, functions).tree()


class _Parser:
    def __init__(self, source: str, name: str, functions: Container[str]) -> None:
        self._name = name
        self._functions = functions
        self._tokens = list(tokens(source))
        self._at = 0
        self._scope: list[tuple[str, int]] = [("$", 0)]
        self._slots = 1
        self._loops = 0
        self._depth = 0
        self._defined: dict[str, list[nodes.Statement]] = {}

    def tree(self) -> Tree:
        body, ending = self._list()
        if ending.kind != "EOF":
            raise self._error(f"unexpected {{{{{ending.text}}}}}", ending)
        return Tree(body, self._defined, self._slots)

    # tokens

    def _next(self, *, spaces: bool = False) -> Token:
        token = self._peek(spaces=spaces)
        if self._at < len(self._tokens) - 1:
            self._at += 1
        if token.kind == "error":
            raise self._error(token.text, token)
        return token

    def _peek(self, *, spaces: bool = False) -> Token:
        while not spaces and self._tokens[self._at].kind == "space":
            self._at += 1
        return self._tokens[self._at]

    def _expect(self, kind: str, context: str) -> Token:
        token = self._next()
        if token.kind != kind:
            raise self._unexpected(token, context)
        return token

    def _unexpected(self, token: Token, context: str) -> TemplateError:
        if token.kind == "error":
            return self._error(token.text, token)
        return self._error(f"unexpected {token} in {context}", token)

    def _error(self, text: str, token: Token | None = None) -> TemplateError:
        line = (token or self._tokens[self._at]).line
        return TemplateError(f"template: {self._name}:{line}: {text}")

    # statements

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._error("nested too deep")

    def _list(self) -> tuple[list[nodes.Statement], Token]:
        """Statements up to `end`, `else` or EOF, and the token that ended them."""
        found: list[nodes.Statement] = []
        while True:
            token = self._next(spaces=True)
            if token.kind == "EOF":
                return found, token
            if token.kind == "text":
                found.append(nodes.Text(token.text, position=token.position))
                continue
            head = self._peek()
            if head.kind in ("end", "else"):
                self._next()
                return found, head
            statement = self._statement(head)
            if statement is not None:
                found.append(statement)

    def _statement(self, head: Token) -> nodes.Statement | None:
        if head.kind in ("if", "with", "range"):
            self._next()
            return self._branch(head)
        if head.kind in ("break", "continue"):
            self._next()
            self._expect("right", f"{{{{{head.kind}}}}}")
            if not self._loops:
                raise self._error(f"{{{{{head.kind}}}}} outside {{{{range}}}}", head)
            return nodes.Jump(head.kind, position=head.position)
        if head.kind in ("template", "block", "define"):
            self._next()
            return self._template(head)
        pipe = self._pipe("command", "right")
        return nodes.Action(pipe, position=head.position)

    def _branch(self, head: Token) -> nodes.Branch:
        self._deeper()
        outer = len(self._scope)
        pipe = self._pipe(head.kind, "right")
        self._loops += head.kind == "range"
        body, ending = self._list()
        self._loops -= head.kind == "range"
        otherwise: list[nodes.Statement] = []
        if ending.kind == "else":
            otherwise, ending = self._otherwise(head.kind)
        if ending.kind == "EOF":
            raise self._error("unexpected EOF", ending)
        if ending.kind == "else":
            raise self._error("expected end; found {{else}}", ending)
        self._close(ending)
        del self._scope[outer:]
        self._depth -= 1
        return nodes.Branch(head.kind, pipe, body, otherwise, position=head.position)

    def _otherwise(self, kind: str) -> tuple[list[nodes.Statement], Token]:
        token = self._peek()
        if token.kind == kind and kind in ("if", "with"):
            # `else if`: the nested statement consumes the `end` of this one
            self._next()
            nested = self._branch(token)
            ending = Token("nested", "", token.position, token.line)
            return [nested], ending
        self._expect("right", "else")
        return self._list()

    def _close(self, ending: Token) -> None:
        if ending.kind == "end":
            self._expect("right", "end")

    def _template(self, head: Token) -> nodes.Statement | None:
        token = self._next()
        if token.kind not in ("string", "raw"):
            raise self._unexpected(token, f"{head.kind} clause")
        name = self._text(token)
        pipe: nodes.Pipe | None = None
        if head.kind == "template" and self._peek().kind == "right":
            self._next()
        elif head.kind == "define":
            self._expect("right", "define clause")
        else:
            pipe = self._pipe(f"{head.kind} clause", "right")
        if head.kind != "template":
            self._define(name)
        if head.kind == "define":
            return None
        return nodes.Call(name, pipe, position=token.position)

    def _define(self, name: str) -> None:
        scope, loops = self._scope, self._loops
        self._scope, self._loops = [("$", 0)], 0
        body, ending = self._list()
        self._scope, self._loops = scope, loops
        if ending.kind != "end":
            raise self._error(f"unexpected {ending} in define clause", ending)
        self._close(ending)
        self._defined[name] = body

    # pipelines

    def _pipe(self, context: str, end: str) -> nodes.Pipe:
        self._deeper()
        pipe = nodes.Pipe([], position=self._peek().position)
        self._declarations(pipe, context)
        while True:
            token = self._peek()
            if token.kind == end:
                self._next()
                self._check(pipe, context)
                self._depth -= 1
                return pipe
            if token.kind not in _OPERANDS:
                self._next()
                raise self._unexpected(token, context)
            pipe.commands.append(self._command())

    def _declarations(self, pipe: nodes.Pipe, context: str) -> None:
        while self._peek().kind == "variable":
            start = self._at
            variable = self._next()
            after = self._next()
            if after.kind in ("declare", "assign"):
                self._declare(pipe, variable, new=after.kind == "declare")
                return
            if after.kind == "character_token" and after.text == ",":
                self._declare(pipe, variable, new=True)
                if context != "range" or len(pipe.names) > 1:
                    raise self._error(f"too many declarations in {context}", after)
                if self._peek().kind != "variable":
                    raise self._error("range can only initialize variables", after)
                continue
            self._at = start
            return

    def _declare(self, pipe: nodes.Pipe, variable: Token, *, new: bool) -> None:
        if not new:
            slot = self._use(variable).slot
        else:
            slot = self._slots
            self._slots += 1
            self._scope.append((variable.text, slot))
        pipe.names.append(variable.text)
        pipe.slots.append(slot)

    def _check(self, pipe: nodes.Pipe, context: str) -> None:
        if not pipe.commands:
            raise self._error(f"missing value for {context}")
        for stage, command in enumerate(pipe.commands[1:], 2):
            if isinstance(command.arguments[0], _CONSTANT):
                raise self._error(f"non executable command in pipeline stage {stage}")

    def _command(self) -> nodes.Command:
        command = nodes.Command([], position=self._peek().position)
        while True:
            operand = self._operand()
            if operand is not None:
                command.arguments.append(operand)
            token = self._next(spaces=True)
            if token.kind == "space":
                continue
            if token.kind in ("right", "right_paren"):
                self._at -= 1
            elif token.kind != "pipe":
                raise self._unexpected(token, "operand")
            break
        if not command.arguments:
            raise self._error("empty command")
        return command

    def _operand(self) -> nodes.Operand | None:
        term = self._term()
        if term is None or self._peek(spaces=True).kind != "field":
            return term
        position = self._peek(spaces=True).position
        names: list[str] = []
        while self._peek(spaces=True).kind == "field":
            names.append(self._next(spaces=True).text[1:])
        if isinstance(term, nodes.Field | nodes.Variable):
            term.names.extend(names)
            # the position that Go gives a chain
            term.position = position
            return term
        if isinstance(term, _CONSTANT):
            raise self._error(f"unexpected . after term {quote(str(term))}")
        return nodes.Chain(term, names, position=position)

    def _term(self) -> nodes.Operand | None:
        token = self._peek()
        if token.kind not in _OPERANDS:
            return None
        self._next()
        position = token.position
        if token.kind == "identifier":
            if token.text not in self._functions:
                raise self._error(f"function {quote(token.text)} not defined", token)
            return nodes.Identifier(token.text, position=position)
        if token.kind == "dot":
            return nodes.Dot(position=position)
        if token.kind == "field":
            return nodes.Field([token.text[1:]], position=position)
        if token.kind == "variable":
            return self._use(token)
        if token.kind == "left_paren":
            return self._pipe("parenthesized pipeline", "right_paren")
        return nodes.Literal(self._constant(token), token.text, position=position)

    def _use(self, token: Token) -> nodes.Variable:
        for name, slot in reversed(self._scope):
            if name == token.text:
                return nodes.Variable(name, slot, [], position=token.position)
        raise self._error(f"undefined variable {quote(token.text)}", token)

    def _constant(self, token: Token) -> object:
        if token.kind == "bool":
            return token.text == "true"
        if token.kind == "nil":
            return None
        if token.kind == "number":
            return _number(token.text)
        value = self._text(token)
        if token.kind == "character" and len(value) != 1:
            raise self._error(f"malformed character constant: {token.text}", token)
        return Int(ord(value)) if token.kind == "character" else value

    def _text(self, token: Token) -> str:
        try:
            return _unquoted(token.text)
        except ValueError as fault:
            raise self._error(str(fault), token) from fault


def _number(text: str) -> object:
    try:
        return Int(
            int(text, 0) if not text.lstrip("+-").startswith("0") else _odd(text)
        )
    except ValueError:
        return float(text.replace("_", ""))


def _odd(text: str) -> int:
    """An integer that begins with 0: hex, binary, or octal in either spelling."""
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-").replace("_", "")
    if digits.isdecimal():
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def _unquoted(text: str) -> str:
    """The value of a text or character literal.

    Raises:
        ValueError: an escape that Go does not know.
    """
    if text.startswith("`"):
        return text[1:-1].replace("\r", "")
    if not _GO_ESCAPES.fullmatch(text[1:-1]):
        raise ValueError("invalid syntax")
    return str(python.literal_eval(text))


_GO_ESCAPES = re.compile(
    r"""(?:[^\\]|\\(?:[abfnrtv\\"']|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U00[01][0-9a-fA-F]{5}))*"""
)
