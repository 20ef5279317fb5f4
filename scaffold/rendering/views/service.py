"""The view for the template of the service."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from runtime.outbound.connection import NO_CERTIFICATES
from scaffold.expressions.code import Code, Type, dotted, rendered
from scaffold.expressions.functions import either, negated
from scaffold.layout.printer import operand
from scaffold.prose import sentence, started
from scaffold.rendering.views.fields import Field, declared, has_docs
from scaffold.rendering.views.options import Check
from scaffold.rendering.views.requests import RequestView, annotation
from scaffold.rendering.views.view import Pair, View, call, truth
from scaffold.spec import scopes
from scaffold.spec.model.cases import TestField
from scaffold.spec.model.handler import HandlerSpec

_STATE = ("id", "message", "details", "time", "level")
# parts of an event that have another name in prose
_PARTS = {
    "id": "ID of the event",
    "task": "name of the task",
    "name": "name of the measurement",
    "group": "group of the points",
    "tags": "tags of the points",
}
_WHOLE = (*_STATE, "topic", "data")

_BASES = {"http": "HttpService", "tcp": "TcpService", "hook": "HookService"}
_BASES_OF_SECTIONS = {
    "http": "InstancesService",
    "tcp": "TcpInstancesService",
    "hook": "HookInstancesService",
}


class Levels(NamedTuple):
    """A constant with a value for each level."""

    constant: str
    rows: list[tuple[str, ast.expr]]


class Let(NamedTuple):
    """A value that is computed once for each event."""

    name: str
    annotation: str
    value: ast.expr


class Fed(NamedTuple):
    """A part of an event or a handler, and the option of the test that gives it."""

    name: str
    option: str


@dataclass(frozen=True)
class TestFieldView(Field):
    """An option of the service test.

    Attributes:
        feeds: its target: `event.message`, `opt.room`.
        option_doc: the meaning of the handler's option that it sets, or "".
    """

    __test__ = False  # not a test for pytest

    feeds: str = ""
    option_doc: str = ""

    @property
    def has_text(self) -> bool:
        """True if it has a description."""
        return bool(self.doc or self.option_doc or self.part)

    @property
    def part(self) -> str:
        """The part of the event that it sets, or ""."""
        table, _, key = self.feeds.partition(".")
        return _PARTS.get(key, f"{key} of the event") if table == "event" else ""


class ServiceView(View):
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

    # the service test

    @cached_property
    def test_fields(self) -> list[TestFieldView]:
        """The fields of `TestOptions`."""
        return [
            TestFieldView(
                **vars(declared(each)), feeds=each.feeds, option_doc=self._meaning(each)
            )
            for each in self.spec.test
        ]

    @property
    def has_test_docs(self) -> bool:
        """True if one of them has a description."""
        return has_docs(self.test_fields)

    def _meaning(self, field: TestField) -> str:
        """The meaning of the handler's option that a test's option sets."""
        for option in self.spec.options:
            if field.feeds == f"opt.{option.key}" and option.doc:
                return option.doc.partition(";")[0].rstrip(".") + "."
        return ""

    @property
    def test_defaults(self) -> list[Pair]:
        """The options of the test that have a computed default."""
        return [Pair(each.name, each.code.node) for each in self.spec.test if each.code]

    @cached_property
    def fed(self) -> dict[str, str]:
        """The test's options for the event's state, topic and whole data, by that part."""
        found = dict(self._parts)
        return {part: found.get(part, "") for part in _WHOLE}

    @property
    def _parts(self) -> Iterator[tuple[str, str]]:
        for field in self.spec.test:
            table, _, key = field.feeds.partition(".")
            if table != "opt":
                yield key, field.name

    @property
    def test_data(self) -> list[Fed]:
        """The options of the test that set the event's data."""
        return [
            Fed("task_name" if part == "task" else part, option)
            for part, option in self._parts
            if part not in _WHOLE
        ]

    @property
    def test_level(self) -> str:
        """The level of the test's event if no option sets it; "" if any level will do."""
        level = self.sample.test_level
        return level.name if level is not None else ""

    @property
    def test_handler(self) -> list[Fed]:
        """The options of the test that set the handler's."""
        names = {option.key: option.name for option in self.spec.options}
        return [
            Fed(names[field.feeds.removeprefix("opt.")], field.name)
            for field in self.spec.test
            if field.feeds.startswith("opt.")
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
    def has_status(self) -> bool:
        """True if answers have a status."""
        return self.spec.transport == "http"

    @property
    def words_failures(self) -> bool:
        """True if the service makes errors of answers."""
        return self.has_status or self.failure is not None or bool(self.unparsable)

    @property
    def may_send_nothing(self) -> bool:
        """True if there are events for which nothing is sent."""
        return self.spec.requests[-1].when is not None

    @property
    def resolves(self) -> bool:
        """True if options fall back to others when an event is sent."""
        return any(
            (each.fallback is not None and not each.is_bound_early and not each.local)
            or each.aliases
            for each in self.spec.options
        )

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

    # the answer

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
        return self.resolves and any(
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
