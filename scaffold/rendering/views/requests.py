"""Requests, as the template of the service sees them."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from runtime.units import SECOND
from scaffold.expressions.code import Code, Type
from scaffold.layout.printer import source
from scaffold.rendering.views.view import Pair, call, truth
from scaffold.spec.model.requests import Parameter, RequestSpec
from scaffold.spec.strings import formatted


class Basic(NamedTuple):
    """The credentials of HTTP basic authentication."""

    user: ast.expr
    password: ast.expr


class Repetition(NamedTuple):
    """A loop over recipients."""

    variable: str
    items: ast.expr


@dataclass(frozen=True)
class RequestView:
    """One request; the first without a name whose condition holds delivers.

    Attributes:
        spec: the request.
        is_declared: true if the type of its body is declared before it.
        is_answered: true if an answer over TCP is read.
        is_yielded: true if it is one of several for an event.
        is_last: true if no request comes after it.
        guard: condition on which neither it nor a later request is sent, or None.
        is_guarded: true if its own condition was examined before.
        is_read: true if requests after it read its answer.
    """

    spec: RequestSpec
    is_declared: bool
    is_answered: bool = False
    is_yielded: bool = False
    is_last: bool = True
    guard: ast.expr | None = None
    is_guarded: bool = False
    is_read: bool = False

    @property
    def when(self) -> ast.expr | None:
        """Its condition, or None."""
        if self.is_guarded or self.spec.when is None:
            return None
        return self.spec.when.node

    @property
    def default(self) -> str:
        """The variable that needs a value if the step is not sent, or ""."""
        return self.spec.name if self.is_read and self.spec.when is not None else ""

    @property
    def loop(self) -> Repetition | None:
        """The loop that sends it to each of several recipients, or None."""
        if self.spec.loop is None:
            return None
        variables, items = self.spec.loop
        return Repetition(", ".join(variables), items.node)

    @property
    def start(self) -> str:
        """The start of the statement that yields it."""
        if self.spec.loop is not None:
            return f"yield Addressed({self.spec.loop.variables[0]}, "
        if not self.spec.name:
            return "yield "
        variable = f"{self.spec.name} = " if self.is_read else ""
        return f'{variable}yield Step("{self.spec.key}", '

    @property
    def end(self) -> str:
        """The end of that statement."""
        if self.spec.loop is not None:
            return ")"
        if not self.spec.name:
            return ""
        made = ""
        if self.spec.keep:
            # a shared answer expires by itself, so it is not marked as a login
            made = f", keep_s={self.spec.keep / SECOND:g}"
        elif self.spec.is_login:
            made = ", is_login=True"
        if self.spec.that is not None:
            made += f", accepts=lambda response: {source(truth(self.spec.that))}"
        return f"{made})"

    @property
    def ends(self) -> bool:
        """True if no request may follow it for the same event."""
        return self.is_yielded and not self.spec.name and not self.is_last

    @property
    def method(self) -> ast.expr:
        """Its method, as `POST`."""
        if self.spec.to is None:
            return ast.Constant(self.spec.method)
        return ast.Constant("EXCHANGE" if self.is_answered else "WRITE")

    @property
    def url(self) -> ast.expr:
        """Its URL, without `path` and `query`."""
        return self.spec.url.node

    @property
    def path(self) -> list[ast.expr]:
        """The segments appended to the path of the URL."""
        return [each.node for each in self.spec.path]

    @property
    def query(self) -> list[Pair] | None:
        """The query that replaces the URL's; None keeps it."""
        return None if self.spec.query is None else _pairs(self.spec.query)

    @property
    def is_extended(self) -> bool:
        """True if the URL gets a path or a query."""
        return bool(self.spec.path) or self.spec.query is not None

    @property
    def has_slashes(self) -> bool:
        """True if slashes in the appended segments are kept."""
        return self.spec.has_slashes

    @property
    def has_last_slash(self) -> bool:
        """True if the path ends with a slash."""
        return self.spec.has_last_slash

    @property
    def body(self) -> ast.expr | None:
        """The body, or None."""
        return self.spec.body.node if self.spec.body else None

    @property
    def body_kind(self) -> str:
        """`json`, `form`, `text` or ""."""
        return self.spec.body_kind

    @property
    def has_body_variable(self) -> bool:
        """True if the body gets a name before it is encoded."""
        return self.body is not None and self.body_kind in ("json", "form")

    @property
    def annotation(self) -> str:
        """The annotation of the body's name."""
        if self.spec.body is None or self.is_declared:
            return ""
        return annotation(self.spec.body)

    @property
    def encoded(self) -> ast.expr | None:
        """A body of text, as bytes."""
        if self.body is None:
            return None
        return ast.Call(ast.Attribute(self.body, "encode"), [], [])

    @property
    def has_newline(self) -> bool:
        """True if a line end follows the JSON."""
        return self.spec.has_newline

    @property
    def is_sorted(self) -> bool:
        """True if the keys of JSON are sorted."""
        return self.spec.is_sorted

    @property
    def content_type(self) -> str:
        """The kind of body whose usual type is sent; "" if the spec gives another type."""
        if self.spec.to is not None:
            return ""
        own = {each.lower() for each in self.spec.headers}
        return "" if "content-type" in own else self.body_kind

    @property
    def headers(self) -> list[Pair]:
        """The headers that the spec gives, besides `Authorization`."""
        return _pairs(self.spec.headers)

    @property
    def basic(self) -> Basic | None:
        """User and password, or None."""
        if self.spec.basic is None:
            return None
        user, password = self.spec.basic
        return Basic(user.node, password.node)

    @property
    def scheme(self) -> ast.expr:
        """The scheme before the token."""
        return ast.Constant(self.spec.scheme)

    @property
    def is_optional(self) -> bool:
        """True if an empty token is not sent."""
        return self.spec.is_optional

    @property
    def token(self) -> ast.expr | None:
        """The token; with its scheme, if it is always sent."""
        token = self.spec.token
        if token is None:
            return None
        if not self.is_optional:
            scheme = ast.Constant(f"{self.spec.scheme} ")
            return ast.JoinedStr([scheme, formatted(token.as_text().node)])
        is_secret = token.type is Type.SECRET
        return token.node if is_secret else call("Secret", token.node)

    @property
    def has_headers(self) -> bool:
        """True if it has any header."""
        return self._count > 0

    @property
    def has_many_headers(self) -> bool:
        """True if its headers get a name of their own."""
        optional = any(each.is_optional or each.is_merged for each in self.headers)
        optional |= self.basic is not None
        optional |= self.is_optional and self.token is not None
        return self._count > 1 or optional

    @property
    def _count(self) -> int:
        own = bool(self.content_type) + len(self.headers)
        return own + (self.basic is not None or self.token is not None)


def _pairs(entries: Mapping[str, Parameter]) -> list[Pair]:
    return [
        Pair(ast.Constant(name), each.code.node, each.is_optional, each.is_merged)
        for name, each in entries.items()
    ]


def annotation(code: Code) -> str:
    """The annotation that mypy needs where it cannot infer the type of a literal."""
    for each in ast.walk(code.node):
        is_merge = isinstance(each, ast.Dict) and None in each.keys
        is_empty = (
            isinstance(each, (ast.Dict, ast.List)) and not ast.unparse(each)[1:-1]
        )
        if is_merge or is_empty:
            kinds = {ast.Dict: ": dict[str, object]", ast.List: ": list[object]"}
            return kinds.get(type(code.node), "")
    return ""
