"""Parses a TICKscript into its syntax tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import NoReturn

from runtime.errors import ScriptError
from runtime.golang.utf8 import decoded
from runtime.tick import ast, lexer
from runtime.tick.lexer import Token
from runtime.tick.literals import LITERALS, reference

_PRECEDENCE = {
    "OR": 0,
    "AND": 1,
    "==": 2,
    "!=": 2,
    "=~": 2,
    "!~": 2,
    "<": 3,
    "<=": 3,
    ">": 3,
    ">=": 3,
    "+": 4,
    "-": 4,
    "*": 5,
    "/": 5,
    "%": 5,
}
_CHAIN_KINDS = {"|": "chain", ".": "property", "@": "dynamic"}
# Number of bytes around a wrong token that an error text quotes.
_SNIPPET = 10
# Enough for any script that a person writes, and shallow enough for Python's stack.
_MAX_DEPTH = 100
_MAX_OPERATORS = 400
# Far more than a person writes; each takes a tenth of a millisecond.
_MAX_STATEMENTS = 5000

# The tokens that error texts list for a missing operand.
_OPERAND = (
    lexer.NUMBER,
    lexer.STRING,
    lexer.DURATION,
    lexer.IDENTIFIER,
    "TRUE",
    "FALSE",
    "==",
    "(",
    "-",
    "!",
)


def parse(source: str) -> ast.ProgramNode:
    """The syntax tree of a script.

    Raises:
        ScriptError: it does not parse; the text starts with `parser: ` and gives line
            and column, both from 1, columns in bytes.

    Source: Kapacitor tick/ast/parser.go; same language, same error texts.
    """
    outcome = _outcome(source)
    if isinstance(outcome, str):
        raise ScriptError(outcome)
    return outcome


# Cached, as a request about a task needs the tree of its script several times, and may
# have parsed it on another thread before. Errors are cached too: they take as long.
@lru_cache(maxsize=2)
def _outcome(source: str) -> ast.ProgramNode | str:
    try:
        return _Parser(source).program()
    except ScriptError as error:
        return str(error)


def parse_lambda(source: str) -> ast.LambdaNode:
    """The lambda whose expression, without `lambda:`, is `source`.

    Raises:
        ScriptError: it does not parse.
    """
    parser = _Parser(source)
    expression = parser.operation()
    parser.expect(lexer.EOF)
    return ast.LambdaNode(expression)


class _Parser:
    """Recursive descent over the tokens; `_pending` has the comments of the next node."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._bytes = lexer.ByteOffsets(source)
        self._encoded = source.encode("utf-8", "surrogatepass")
        self._tokens = lexer.tokens(source)
        self._index = 0
        self._pending: list[str] = []
        self._depth = 0

    def program(self) -> ast.ProgramNode:
        statements: list[ast.Statement] = []
        while self._kind() != lexer.EOF:
            statements.append(self._statement())
            if len(statements) > _MAX_STATEMENTS:
                raise ScriptError(
                    f"parser: script has more than {_MAX_STATEMENTS} statements"
                )
        self._advance()
        return ast.ProgramNode(
            tuple(statements), source=self._source, comments=self._comments()
        )

    def expect(self, kind: str) -> Token:
        if self._kind() != kind:
            self._unexpected(kind)
        return self._advance()

    def operation(self, left: ast.Expression | None = None) -> ast.Expression:
        """An operator expression; `left` is its first operand if that is already read."""
        return self._climb(self._operand() if left is None else left, 0)

    # Tokens

    def _kind(self) -> str:
        return self._tokens[self._index].kind

    def _advance(self) -> Token:
        token = self._tokens[self._index]
        if token.kind != lexer.EOF:
            self._index += 1
        if token.comments:
            self._pending.extend(token.comments)
        return token

    def _comments(self) -> tuple[str, ...]:
        if not self._pending:
            return ()
        taken = tuple(self._pending)
        self._pending.clear()
        return taken

    def _position(self, token: Token) -> int:
        return self._bytes.of(token.start)

    def _broken(self, start: ast.Node | int, end: ast.Node) -> bool:
        """True if there is a line break between the positions of two nodes."""
        if isinstance(start, ast.Node):
            start = start.position
        return self._encoded.find(b"\n", start, end.position) >= 0

    # Statements

    def _statement(self) -> ast.Statement:
        kind = self._kind()
        if kind == "var":
            return self._declaration()
        if kind == "dbrp":
            return self._dbrp()
        return self._expression()

    def _declaration(self) -> ast.DeclarationNode | ast.TypeDeclarationNode:
        position = self._position(self._advance())
        comments = self._comments()
        name = self.expect(lexer.IDENTIFIER).text
        if self._kind() != "=":
            kind = self.expect(lexer.IDENTIFIER).text
            return ast.TypeDeclarationNode(
                name, kind, position=position, comments=comments
            )
        self._advance()
        value = self._expression()
        return ast.DeclarationNode(name, value, position=position, comments=comments)

    def _dbrp(self) -> ast.DBRPNode:
        position = self._position(self._advance())
        comments = self._comments()
        database = self._reference().name
        self.expect(".")
        policy = self._reference().name
        return ast.DBRPNode(database, policy, position=position, comments=comments)

    # Expressions

    def _expression(self) -> ast.Expression:
        kind = self._kind()
        if kind == lexer.LAMBDA:
            token = self._advance()
            comments = self._comments()
            return ast.LambdaNode(
                self.operation(), position=self._position(token), comments=comments
            )
        if kind == "[":
            return self._list()
        if kind != lexer.IDENTIFIER:
            return self.operation()
        first = self._name_or_call("global", self._expression)
        if self._kind() in _CHAIN_KINDS:
            return self._chain(first)
        return self.operation(first)

    def _chain(self, left: ast.Expression) -> ast.Expression:
        while (kind := self._kind()) in _CHAIN_KINDS:
            token = self._advance()
            comments = self._comments()
            right = self._name_or_call(
                _CHAIN_KINDS[kind], self._expression, call=kind == "|"
            )
            left = ast.ChainNode(
                kind, left, right, position=self._position(token), comments=comments
            )
        return left

    def _name_or_call(
        self, kind: str, argument: Callable[[], ast.Expression], *, call: bool = False
    ) -> ast.IdentifierNode | ast.FunctionNode:
        name = self.expect(lexer.IDENTIFIER)
        comments = self._comments()
        if not call and self._kind() != "(":
            return ast.IdentifierNode(
                name.text, position=self._position(name), comments=comments
            )
        arguments = self._arguments(argument)
        position = self._position(name)
        return ast.FunctionNode(
            name.text,
            arguments,
            kind,
            bool(arguments) and self._broken(position, arguments[-1]),
            position=position,
            comments=comments,
        )

    def _arguments(
        self, argument: Callable[[], ast.Expression]
    ) -> tuple[ast.Expression, ...]:
        """Arguments between brackets."""
        self.expect("(")
        self._enter()
        found: list[ast.Expression] = []
        while self._kind() != ")":
            found.append(argument())
            if self._kind() != ",":
                break
            self._advance()
        self.expect(")")
        self._depth -= 1
        return tuple(found)

    def _list(self) -> ast.ListNode:
        position = self._position(self._advance())
        comments = self._comments()
        items: list[ast.Expression] = []
        while self._kind() != "]":
            items.append(self._item())
            if self._kind() != ",":
                break
            self._advance()
        self.expect("]")
        return ast.ListNode(tuple(items), position=position, comments=comments)

    def _item(self) -> ast.Expression:
        if self._kind() not in (lexer.IDENTIFIER, lexer.STRING, "*"):
            self._unexpected(lexer.IDENTIFIER, lexer.STRING, "*")
        if self._kind() == lexer.IDENTIFIER:
            token = self._advance()
            return ast.IdentifierNode(
                token.text, position=self._position(token), comments=self._comments()
            )
        return self._operand()

    def _climb(self, left: ast.Expression, lowest: int) -> ast.Expression:
        """Parse the operators after `left` whose precedence is at least `lowest`."""
        count = 0
        while (precedence := _PRECEDENCE.get(self._kind(), -1)) >= lowest:
            count += 1
            if count > _MAX_OPERATORS:
                raise ScriptError("parser: expression is too long")
            operator = self._advance()
            comments = self._comments()
            right = self._operand()
            while _PRECEDENCE.get(self._kind(), -1) > precedence:
                right = self._climb(right, _PRECEDENCE[self._kind()])
            left = ast.BinaryNode(
                operator.kind,
                left,
                right,
                multiline=self._broken(left, right),
                position=self._position(operator),
                comments=comments,
            )
        return left

    def _operand(self) -> ast.Expression:
        kind = self._kind()
        if kind == lexer.IDENTIFIER:
            return self._name_or_call("global", self.operation)
        if kind == "(":
            return self._brackets()
        if kind in ("-", "!"):
            return self._unary()
        literal = LITERALS.get(kind)
        if literal is None:
            self._unexpected(*_OPERAND)
        token = self._advance()
        return literal(token.text, self._position(token), self._comments())

    def _unary(self) -> ast.UnaryNode:
        token = self._advance()
        comments = self._comments()
        self._enter()
        operand = self._operand()
        self._depth -= 1
        return ast.UnaryNode(
            token.kind, operand, position=self._position(token), comments=comments
        )

    def _brackets(self) -> ast.Expression:
        self._advance()
        comments = self._comments()
        self._enter()
        inner = self.operation()
        self.expect(")")
        self._depth -= 1
        if comments:
            inner = replace(inner, comments=(*comments, *inner.comments))
        if not isinstance(inner, ast.BinaryNode):
            return inner  # brackets around a single value have no effect
        return replace(inner, parens=True)

    def _reference(self) -> ast.ReferenceNode:
        token = self.expect(lexer.REFERENCE)
        return reference(token.text, self._position(token), self._comments())

    # Errors

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ScriptError("parser: expression is nested too deeply")

    def _unexpected(self, *expected: str) -> NoReturn:
        token = self._tokens[self._index]
        found = token.text if token.kind == lexer.ERROR else token.kind
        line, column = lexer.location(self._source, self._position(token))
        wanted = ",".join(f'"{kind}"' for kind in expected)
        raise ScriptError(
            f"parser: unexpected {found} line {line} char {column}"
            f' in "{self._snippet(token)}". expected: {wanted}'
        )

    def _snippet(self, token: Token) -> str:
        source = self._source.encode("utf-8", "surrogatepass")
        position = self._position(token)
        before = source[max(0, position - _SNIPPET) : position].rpartition(b"\n")[2]
        after = source[position : position + _SNIPPET].partition(b"\n")[0]
        return decoded(before + after)
