"""The view for the template of the service."""

from __future__ import annotations

import ast
import copy
from functools import cached_property
from typing import NamedTuple

from runtime.outbound.connection import NO_CERTIFICATES
from scaffold.expressions.code import Code, Type, dotted, rendered
from scaffold.expressions.functions import either, negated
from scaffold.prose import sentence, started
from scaffold.rendering.views.options import Check
from scaffold.rendering.views.requests import RequestView, annotation
from scaffold.rendering.views.responses import ResponseView
from scaffold.rendering.views.servicetest import ServiceTestView
from scaffold.rendering.views.view import Pair
from scaffold.spec import scopes
from scaffold.spec.model.handler import HandlerSpec


class Levels(NamedTuple):
    """A constant with a value for each level."""

    constant: str
    rows: list[tuple[str, ast.expr]]


class Let(NamedTuple):
    """A value that is computed once for each event."""

    name: str
    annotation: str
    value: ast.expr


class ServiceView(ServiceTestView, ResponseView):
    """The service of a handler."""

    @property
    def sentence(self) -> str:
        """The service's summary, as a sentence."""
        return started(self.summary or sentence(f"sends alerts to {self.spec.title}"))

    @property
    def levels(self) -> list[Levels]:
        """The constants with a value per level."""
        return [
            Levels(
                level.constant,
                [(name, ast.Constant(value)) for name, value in level.values.items()],
            )
            for level in self.spec.levels
        ]

    @property
    def test_early(self) -> list[Pair]:
        """The handler's options that the test leaves as they are configured."""
        known = {each.name for each in self.test_handler}
        return [each for each in self.early if each.name not in known]

    @cached_property
    def early(self) -> list[Pair]:
        """The options that take the configured value when the handler is made."""
        return [
            Pair(each.name, _with_self(each.fallback.node))
            for each in self.spec.options
            if each.is_bound_early and each.fallback is not None
        ]

    # the request

    @property
    def hook(self) -> str:
        """The module that sends, or ""."""
        return self.spec.hook.module if self.spec.hook else ""

    @property
    def extra(self) -> ast.expr | None:
        """The extra of the package that the hook needs, or None."""
        hook = self.spec.hook
        return ast.Constant(hook.extra) if hook and hook.extra else None

    @property
    def may_send_nothing(self) -> bool:
        """True if there are events for which nothing is sent."""
        return self.spec.requests[-1].when is not None

    @property
    def resolves(self) -> bool:
        """True if options fall back to others when an event is sent."""
        return self.spec.resolves

    @property
    def needs_time(self) -> bool:
        """True if the time of the request is used."""
        return scopes.NOW in self.spec.names_used()

    @property
    def scopes(self) -> list[tuple[str, ast.expr]]:
        """The constants with the names that templates may use."""
        return [
            (name, ast.Tuple([ast.Constant(each) for each in scope]))
            for scope, name in self.spec.scopes().items()
        ]

    @property
    def texts(self) -> list[Pair]:
        """The variables of rendered templates that are used."""
        used, constants = self.spec.names_used(), self.spec.scopes()
        found = []
        for each in self.spec.templates:
            scope = constants.get(each.scope, "")
            node = rendered(dotted(f"options.{each.name}"), each.type.base, scope).node
            if each.fallback is not None:
                node = ast.BoolOp(ast.Or(), [node, *_choices(each.fallback.node)])
            if each.local in used:
                found.append(Pair(each.local, node))
        return found

    @property
    def lets(self) -> list[Let]:
        """The values that are computed first."""
        return [
            Let(each.name, annotation(each.code), each.code.node)
            for each in self.spec.lets
        ]

    @property
    def checks(self) -> list[Check]:
        """The condition that must not hold."""
        return [
            Check(negated(each.that.node), each.error.node) for each in self.spec.checks
        ]

    @property
    def is_stepped(self) -> bool:
        """True if an event may need several requests."""
        return self.spec.is_stepped

    @cached_property
    def guard(self) -> ast.expr | None:
        """The condition on which nothing is sent; None if there is none.

        It is placed before the first step; otherwise steps would be sent for events that
        are not delivered. Without steps it is placed before the last request.
        """
        conditions = []
        for each in self.spec.requests[self._guarded :]:
            if each.name:
                if each.when is not None:
                    return None
            elif each.when is None or self._reads_steps(each.when):
                return None
            else:
                conditions.append(each.when)
        if not conditions:
            return None
        return negated(either(conditions, ast.Or()).node)

    @property
    def _guarded(self) -> int:
        """The index of the request that the guard is placed before."""
        specs = self.spec.requests
        steps = (index for index, each in enumerate(specs) if each.name)
        return next(steps, len(specs) - 1)

    @property
    def starts_with_step(self) -> bool:
        """True if the first request is a step."""
        return bool(self.spec.requests[0].name)

    def _reads_steps(self, code: Code) -> bool:
        return not code.names().isdisjoint(each.name for each in self.spec.steps)

    @property
    def has_many_bodies(self) -> bool:
        """True if several requests have a body."""
        return sum(each.body_kind != "" for each in self.spec.requests) > 1

    @property
    def body_type(self) -> str:
        """The type of the bodies of several requests: mypy would infer a narrower one."""
        bodies = [each.body.node for each in self.spec.requests if each.body]
        is_table = all(isinstance(each, ast.Dict) for each in bodies)
        return "dict[str, object]" if is_table else "object"

    @property
    def requests(self) -> list[RequestView]:
        """The requests; the first without a name whose condition holds delivers."""
        reads, specs = self.spec.response.that is not None, self.spec.requests
        used = [set[str]().union(*(x.names() for x in each.codes())) for each in specs]
        return [
            RequestView(
                each,
                self.has_many_bodies,
                reads,
                self.is_stepped,
                index == len(specs) - 1,
                self.guard if index == self._guarded else None,
                self.guard is not None and index == len(specs) - 1,
                any(each.name in names for names in used[index + 1 :]),
            )
            for index, each in enumerate(specs)
        ]

    # the connection

    @property
    def certificates(self) -> list[Pair]:
        """The files of certificates, and the names of their settings if unusual."""
        connection = self.spec.connection
        made = [Pair(name, code.node) for name, code in connection.files().items()]
        settings = tuple(
            _setting(self.spec, code, usual)
            for code, usual in zip(
                (connection.ca, connection.certificate, connection.key),
                NO_CERTIFICATES.settings,
                strict=True,
            )
        )
        if made and settings != NO_CERTIFICATES.settings:
            names = ast.Tuple([ast.Constant(each) for each in settings])
            made.append(Pair("settings", names))
        return made

    @property
    def connection(self) -> list[Pair]:
        """The settings of a request's connection."""
        settings = self.spec.connection.settings()
        return [Pair(name, code.node) for name, code in settings.items()]

    @property
    def connection_resolves(self) -> bool:
        """True if a connection depends on options that fall back to others."""
        codes = self.spec.connection.settings().values()
        reads = frozenset[str]().union(*(each.reads for each in codes))
        return self.resolves and any(each.startswith("opt.") for each in reads)

    @property
    def prepare_error(self) -> ast.expr | None:
        """The text before errors of making a request, or None."""
        text = self.spec.wrap.prepare
        return ast.Constant(text) if text else None

    @property
    def send_error(self) -> ast.expr | None:
        """The text before errors of sending a request, or None."""
        text = self.spec.wrap.send
        return ast.Constant(text) if text else None


def _setting(spec: HandlerSpec, code: Code | None, usual: str) -> str:
    """The settings that decide on a file, by name, for errors; without switches."""
    if code is None:
        return usual
    switches = {each.key for each in spec.config if each.type.base is Type.BOOL}
    keys = {each.partition(".")[2] for each in code.reads}
    return ", ".join(sorted(keys - switches)) or usual


def _choices(node: ast.expr) -> list[ast.expr]:
    """The operands of `a or b`, or the one expression."""
    match node:
        case ast.BoolOp(op=ast.Or(), values=values):
            return values
    return [node]


def _with_self(node: ast.expr) -> ast.expr:
    """An expression for a method of the service: `self.config.room` for `config.room`."""
    made: ast.expr = _OwnConfig().visit(copy.deepcopy(node))
    return made


class _OwnConfig(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        return dotted("self.config") if node.id == "config" else node
