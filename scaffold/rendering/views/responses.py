"""The part of the service's view for the reading of responses."""

from __future__ import annotations

import ast

from scaffold.expressions.code import Code, Type
from scaffold.layout.printer import operand
from scaffold.rendering.views.view import Pair, View, call, truth


class ResponseView(View):
    """The rules for reading a response."""

    @property
    def has_status(self) -> bool:
        """True if answers have a status."""
        return self.spec.transport == "http"

    @property
    def words_failures(self) -> bool:
        """True if the service makes errors of answers."""
        return self.has_status or self.failure is not None or bool(self.unparsable)

    @property
    def ok(self) -> ast.expr | None:
        """The statuses that mean success, or None for 200 to 299."""
        statuses = self.spec.response.ok
        return ast.Tuple([ast.Constant(x) for x in statuses]) if statuses else None

    @property
    def options_in_success(self) -> bool:
        """True if the further condition reads options or settings."""
        return self._reads_options(self.spec.response.that)

    @property
    def options_in_failure(self) -> bool:
        """True if an error text reads options or settings."""
        response = self.spec.response
        return self._reads_options(response.message, response.unparsable)

    @property
    def retries(self) -> ast.expr | None:
        """The condition for another attempt, or None."""
        retry = self.spec.response.retry
        return None if retry is None else _as_bool(retry)

    @property
    def resolves_in_retries(self) -> bool:
        """True if that condition reads options that fall back to others."""
        return self._resolves_in(self.spec.response.retry)

    @property
    def expires(self) -> ast.expr | None:
        """The condition for a new login, or None."""
        expired = self.spec.response.expired
        return None if expired is None else _as_bool(expired)

    @property
    def resolves_in_expires(self) -> bool:
        """True if that condition reads options that fall back to others."""
        return self._resolves_in(self.spec.response.expired)

    @property
    def wait(self) -> ast.expr | None:
        """The time to wait for it, or None."""
        return self.spec.response.wait.node if self.spec.response.wait else None

    @property
    def resolves_in_wait(self) -> bool:
        """True if that time reads options that fall back to others."""
        return self._resolves_in(self.spec.response.wait)

    @property
    def resolves_in_success(self) -> bool:
        """True if the further condition reads options that fall back to others."""
        return self._resolves_in(self.spec.response.that)

    @property
    def resolves_in_failure(self) -> bool:
        """True if an error text reads options that fall back to others."""
        response = self.spec.response
        return self._resolves_in(response.message, response.unparsable)

    def _resolves_in(self, *codes: Code | None) -> bool:
        return self.spec.resolves and any(
            code is not None and "options" in code.names() for code in codes
        )

    @staticmethod
    def _reads_options(*codes: Code | None) -> bool:
        return any(
            code is not None and not code.names().isdisjoint(("config", "options"))
            for code in codes
        )

    @property
    def success(self) -> str:
        """A further condition, as an operand of `and`, or ""."""
        that = self.spec.response.that
        if that is None:
            return ""
        return operand(truth(that))

    @property
    def failure(self) -> ast.expr | None:
        """The error text for other answers; None: the answer's own."""
        message = self.spec.response.message
        return message.node if message and not _is_error(message.node) else None

    @property
    def unparsable(self) -> ast.expr | None:
        """The error text for answers that are not JSON, or None."""
        text = self.spec.response.unparsable
        return text.node if text else None

    @property
    def names_error(self) -> bool:
        """True if the text of a failure contains the answer's error text."""
        words = [each for each in (self.failure, self.unparsable) if each is not None]
        return any(_is_error(each) for word in words for each in ast.walk(word))

    @property
    def error(self) -> ast.expr:
        """The path to the error text in the answer's JSON."""
        return ast.Constant(self.spec.response.error)

    @property
    def remembered(self) -> list[Pair]:
        """The values of an answer that are remembered."""
        return [
            Pair(ast.Constant(each.name), each.code.node)
            for each in self.spec.remembered
        ]

    @property
    def resolves_in_memory(self) -> bool:
        """True if a remembered value reads options that fall back to others."""
        return self._resolves_in(*(each.code for each in self.spec.remembered))


def _is_error(node: ast.AST) -> bool:
    """True for the name of the error text in an answer."""
    return isinstance(node, ast.Name) and node.id == "error"


def _as_bool(condition: Code) -> ast.expr:
    """A condition on an answer as a boolean."""
    # for mypy, `==` and the like with a part of the response have the type Any
    is_any = isinstance(condition.node, ast.Compare) and not isinstance(
        condition.node.ops[0], ast.In | ast.NotIn | ast.Is | ast.IsNot
    )
    is_bool = condition.type is Type.BOOL and not is_any
    return condition.node if is_bool else call("bool", condition.node)
