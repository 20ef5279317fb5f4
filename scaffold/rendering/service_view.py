"""What the template of the service sees: its statements, laid out."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from functools import cached_property

from scaffold.expressions.code import Code, Type, dotted
from scaffold.expressions.functions import negated
from scaffold.layout.printer import returned, statement
from scaffold.layout.style import DEFAULT_LENGTH
from scaffold.rendering.declarations import attributes, declaration
from scaffold.rendering.sample import Sample, content_type
from scaffold.spec.model import HandlerSpec, Parameter, RequestSpec, TestField
from scaffold.spec.values import formatted

_TEST_DOCS = {
    "event.message": "the message of the event.",
    "event.level": "the level of the event.",
    "event.time": "the time of the event.",
}
_STATE_ORDER = ("id", "message", "details", "time", "level")


class ServiceView:
    """The service of a spec, for templates."""

    def __init__(self, spec: HandlerSpec, package: str, sample: Sample) -> None:
        self.spec = spec
        self.package = package
        self.sample = sample

    @cached_property
    def levels(self) -> list[str]:
        """The constants with a value per level."""
        lines = []
        for level in self.spec.levels:
            keys: list[ast.expr | None] = [
                dotted(f"Level.{each}") for each in level.values
            ]
            values: list[ast.expr] = [
                ast.Constant(each) for each in level.values.values()
            ]
            lines.append(statement(f"{level.constant} = ", ast.Dict(keys, values)))
        return lines

    # the service test

    @property
    def test_docs(self) -> list[str]:
        """The attributes of `TestOptions`, as docstring lines."""
        return attributes(
            (each.name, each.doc or _TEST_DOCS.get(each.feeds) or self._fed(each))
            for each in self.spec.test
        )

    def _fed(self, field: TestField) -> str:
        """What an option of the test that feeds a handler's option means."""
        for option in self.spec.options:
            if field.feeds == f"opt.{option.key}":
                return (
                    option.doc.partition(";")[0].rstrip(".") + "." if option.doc else ""
                )
        return ""

    @property
    def test_fields(self) -> list[str]:
        """The fields of `TestOptions`."""
        return [declaration(each) for each in self.spec.test]

    @property
    def test_defaults(self) -> str:
        """The statement that makes the test's options."""
        keywords = [
            ast.keyword(each.name, each.code.node)
            for each in self.spec.test
            if each.code
        ]
        return statement("return ", ast.Call(ast.Name("TestOptions"), [], keywords))

    @cached_property
    def _fields(self) -> dict[str, list[ast.keyword]]:
        """What the test's options set, by what they are part of."""
        parts: dict[str, list[ast.keyword]] = {
            "state": [],
            "data": [],
            "topic": [],
            "opt": [],
        }
        names = {option.key: option.name for option in self.spec.options}
        for field in self.spec.test:
            table, _, key = field.feeds.partition(".")
            node = dotted(f"options.{field.name}")
            if table == "opt":
                parts["opt"].append(ast.keyword(names[key], node))
            elif key == "time":
                made = ast.Call(ast.Name("parse_time"), [node], [])
                parts["state"].append(ast.keyword(key, made))
            elif key in _STATE_ORDER:
                parts["state"].append(ast.keyword(key, node))
            elif key == "topic":
                parts["topic"].append(ast.keyword(key, node))
            else:
                name = "task_name" if key == "task" else key
                parts["data"].append(ast.keyword(name, node))
        return parts

    @property
    def _data(self) -> list[ast.keyword]:
        return self._fields["data"]

    @cached_property
    def test_statements(self) -> list[str]:
        """The statements that make the test's event."""
        state = list(self._fields["state"])
        if not any(each.arg == "id" for each in state):
            test_id = ast.Constant(f"test {self.spec.names.kind}")
            state.append(ast.keyword("id", test_id))
        if self.sample.test_level is not None:
            level = dotted(f"Level.{self.sample.test_level.name}")
            state.append(ast.keyword("level", level))
        state.sort(key=lambda each: _STATE_ORDER.index(str(each.arg)))
        topic = self._fields["topic"] or [ast.keyword("topic", ast.Constant(""))]
        lines = [_assigned("state", "EventState", state)]
        event = [*topic, ast.keyword("state", ast.Name("state"))]
        if self._data:
            lines.append(_assigned("data", "EventData", self._data))
            event.append(ast.keyword("data", ast.Name("data")))
        handler = ast.Call(ast.Name("HandlerConfig"), [], self._test_options)
        made = ast.Call(ast.Name("Event"), [], event)
        line = statement("return ", ast.Tuple([handler, made]))
        flat = line.removeprefix("return (").removesuffix(")")
        if len(f"        return ({flat})") <= DEFAULT_LENGTH:
            return [*lines, f"return {flat}"]
        lines.append(statement("handler = ", handler))
        lines.append(statement("return handler, ", made))
        return lines

    @property
    def _test_options(self) -> list[ast.keyword]:
        fed = self._fields["opt"]
        names = {each.arg for each in fed}
        return fed + [each for each in self._early if each.arg not in names]

    @property
    def _early(self) -> list[ast.keyword]:
        """The options that take the configured value when the handler is made."""
        return [
            ast.keyword(each.name, _with_self(each.fallback.node))
            for each in self.spec.options
            if each.is_bound_early and each.fallback is not None
        ]

    @property
    def default_handler_config(self) -> str:
        """The statement that makes the options of a handler that sets none."""
        made = ast.Call(ast.Name("HandlerConfig"), [], self._early)
        return statement("return ", made)

    # the request

    @property
    def signature(self) -> str:
        """The head of the method that makes the request."""
        if self.spec.requests[-1].when is None:
            return (
                "def request(self, config: Config, options: HandlerConfig, event: Event)"
                " -> Request:"
            )
        return (
            "def request(self, config: Config, options: HandlerConfig, event: Event)"
            " -> Request | None:"
        )

    @property
    def raises(self) -> bool:
        """Whether the request may be refused."""
        return bool(self.spec.checks)

    @cached_property
    def resolves(self) -> bool:
        """Whether options fall back to others when an event is sent."""
        return any(
            (each.fallback is not None and not each.is_bound_early) or each.aliases
            for each in self.spec.options
        )

    @cached_property
    def request_lines(self) -> list[str]:
        """The body of the method that makes the request."""
        lines = ["options = options.resolve(config)"] if self.resolves else []
        for let in self.spec.lets:
            lines.append(
                statement(f"{let.name}{_annotation(let.code)} = ", let.code.node)
            )
        for check in self.spec.checks:
            lines.append(statement("if ", negated(check.that.node), suffix=":"))
            error = ast.Call(ast.Name("DeliveryError"), [check.error.node], [])
            lines.append("    " + statement("raise ", error))
        if sum(each.body_kind != "" for each in self.spec.requests) > 1:
            lines.append("body: object")
        for request in self.spec.requests:
            lines += self._request(request)
        if self.spec.requests[-1].when is not None:
            lines.append("return None")
        return [" " * 8 + line for line in lines]

    def _request(self, request: RequestSpec) -> list[str]:
        lines = []
        if request.body is not None and _has_body_variable(request):
            is_declared = sum(each.body_kind != "" for each in self.spec.requests) > 1
            annotation = "" if is_declared else _annotation(request.body)
            lines.append(statement(f"body{annotation} = ", request.body.node))
        if request.query is not None:
            lines.append(statement("query = ", _table(request.query)))
        headers = _headers(request)
        if len(headers.keys) > 1 or None in headers.keys:
            lines.append(statement("headers = ", headers))
        lines.append(_returned_request(request, headers))
        if request.when is None:
            return lines
        condition = statement("if ", request.when.node, suffix=":")
        return [condition, *("    " + line for line in lines)]

    # the answer

    @property
    def ok(self) -> str:
        """The statuses that mean success, or "" for 200 to 299."""
        statuses = self.spec.response.ok
        if not statuses:
            return ""
        return statement("ok = ", ast.Tuple([ast.Constant(each) for each in statuses]))

    @cached_property
    def _failure(self) -> Code:
        response = self.spec.response
        if response.message is not None:
            return response.message
        arguments: list[ast.expr] = [
            ast.Name("response"),
            ast.Constant(response.error),
            ast.Constant(self.spec.title),
        ]
        made = ast.Call(ast.Name("error_text"), arguments, [])
        return Code(made, Type.STR)

    @property
    def failure_lines(self) -> list[str]:
        """The body of the method that words a failure."""
        lines = []
        unparsable = self.spec.response.unparsable
        if unparsable is not None:
            lines.append("if response.json is None:")
            lines.append("    " + statement("return ", unparsable.node))
        lines.append(statement("return ", self._failure.node))
        return [" " * 8 + line for line in lines]

    @property
    def success_lines(self) -> list[str]:
        """The body of the method that tells success, if there is a condition."""
        that = self.spec.response.that
        if that is None:
            return []
        node = that.node
        if that.type is not Type.BOOL:
            node = ast.Call(ast.Name("bool"), [node], [])
        good = ast.Compare(dotted("response.status"), [ast.In()], [dotted("self.ok")])
        return [" " * 8 + statement("return ", ast.BoolOp(ast.And(), [good, node]))]


def _assigned(name: str, made: str, keywords: list[ast.keyword]) -> str:
    return statement(f"{name} = ", ast.Call(ast.Name(made), [], keywords))


def _with_self(node: ast.expr) -> ast.expr:
    """`config.room` as a method of the service sees it."""
    made: ast.expr = _Selfish().visit(copy.deepcopy(node))
    return made


class _Selfish(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        return dotted("self.config") if node.id == "config" else node


def _annotation(code: Code) -> str:
    """The annotation that mypy needs where it cannot tell what a literal holds."""
    for each in ast.walk(code.node):
        is_merge = isinstance(each, ast.Dict) and None in each.keys
        is_empty = (
            isinstance(each, (ast.Dict, ast.List)) and not ast.unparse(each)[1:-1]
        )
        if is_merge or is_empty:
            kinds = {ast.Dict: ": dict[str, object]", ast.List: ": list[object]"}
            return kinds.get(type(code.node), "")
    return ""


def _returned_request(request: RequestSpec, headers: ast.Dict) -> str:
    """The statement that makes the request: on one line, or one argument a line."""
    arguments = [ast.Constant(request.method), _target(request)]
    keywords = []
    if headers.keys:
        is_named = len(headers.keys) > 1 or None in headers.keys
        node = ast.Name("headers") if is_named else headers
        keywords.append(ast.keyword("headers", node))
    if request.body is not None:
        keywords.append(ast.keyword("body", _encoded(request)))
    return returned(ast.Call(ast.Name("Request"), arguments, keywords))


def _has_body_variable(request: RequestSpec) -> bool:
    return request.body_kind != "text"


def _table(entries: Mapping[str, Parameter]) -> ast.Dict:
    made = ast.Dict([], [])
    for name, (code, is_optional) in entries.items():
        key = ast.Constant(name)
        given = ast.Call(ast.Name("given"), [key, code.node], [])
        made.keys.append(None if is_optional else key)
        made.values.append(given if is_optional else code.node)
    return made


def _headers(request: RequestSpec) -> ast.Dict:
    table = {
        name: Parameter(Code(ast.Constant(value), Type.STR))
        for name, value in content_type(request).items()
    }
    table |= request.headers
    headers = _table(table)
    key: ast.expr | None = ast.Constant("Authorization")
    if request.basic is not None:
        user, password = request.basic
        arguments = [user.node, password.node]
        key = None
        value: ast.expr = ast.Call(ast.Name("basic_auth"), arguments, [])
    elif request.token is None:
        return headers
    elif request.is_optional:
        token = request.token.node
        if request.token.type is not Type.SECRET:
            token = ast.Call(ast.Name("Secret"), [token], [])
        arguments = [ast.Constant(request.scheme), token]
        key, value = None, ast.Call(ast.Name("authorization"), arguments, [])
    else:
        shown = request.token.as_text().node
        scheme = ast.Constant(f"{request.scheme} ")
        value = ast.JoinedStr([scheme, formatted(shown)])
    headers.keys.append(key)
    headers.values.append(value)
    return headers


def _target(request: RequestSpec) -> ast.expr:
    if not request.path and request.query is None:
        return request.url.node
    arguments = [request.url.node, *(each.node for each in request.path)]
    keywords = []
    if request.query is not None:
        keywords.append(ast.keyword("query", ast.Name("query")))
    return ast.Call(ast.Name(_extends(request)), arguments, keywords)


def _extends(request: RequestSpec) -> str:
    """The function that puts path and query behind a URL."""
    return "join" if request.has_slashes else "below"


def _encoded(request: RequestSpec) -> ast.expr:
    assert request.body is not None
    true = ast.Constant(True)
    match request.body_kind:
        case "json":
            keywords = [ast.keyword("newline", true)] if request.has_newline else []
            keywords += [ast.keyword("sort_keys", true)] if request.is_sorted else []
            return ast.Call(ast.Name("encode"), [ast.Name("body")], keywords)
        case "form":
            made = ast.Call(ast.Name("form"), [ast.Name("body")], [])
            return ast.Call(ast.Attribute(made, "encode"), [], [])
    return ast.Call(ast.Attribute(request.body.node, "encode"), [], [])
