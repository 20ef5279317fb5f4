"""Runs a spec's expressions on sample values: what its generated tests will see.

The expressions were checked, so only listed forms and functions run here.
"""

from __future__ import annotations

import ast
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from runtime import units
from runtime.alert.types import Event, EventData, EventState, Level
from runtime.errors import DeliveryError
from runtime.golang.json import dumps, encode
from runtime.golang.printing import text
from runtime.secrets import Secret
from runtime.services import expressions, urls
from runtime.testing.events import (
    changed_event,
    sample_event,
    shown_levels,
    shown_request,
)
from runtime.toml_lines import positions
from runtime.units import MINUTE, Duration
from scaffold.errors import Fault, SpecError
from scaffold.expressions.code import Code, Type
from scaffold.expressions.functions import RUNTIME
from scaffold.layout.printer import source
from scaffold.rendering.candidates import candidates
from scaffold.spec.model import (
    ConfigField,
    Example,
    HandlerSpec,
    Option,
    Parameter,
    RequestSpec,
    Setting,
)
from scaffold.spec.reader import Path, shown

BASE = "http://host"
_MOST_TRIES = 2_000
_FUNCTIONS: dict[str, Any] = {
    **RUNTIME,
    "dumps": dumps,
    "text": text,
    "str": str,
    "len": len,
    "Level": Level,
    "go_duration": units.go_duration,
    "__builtins__": {},
}

Seat = tuple[str, str]
"""Something to choose: a table (`config`, `option`, `tags`, `fields`) and its key."""


class Values(NamedTuple):
    """Values that the generated tests use.

    Attributes:
        config: the configuration, by key.
        options: what the handler says, by key.
        changes: what the event has besides, as `changed_event` takes it.
    """

    config: dict[str, Any]
    options: dict[str, Any]
    changes: dict[str, Any]

    def having(self, seat: Seat, value: Any) -> Values:
        """These values and another one."""
        table, key = seat
        if table == "config":
            return self._replace(config={**self.config, key: value})
        if table == "option":
            return self._replace(options={**self.options, key: value})
        own = dict(getattr(sample_event().data, table)) | self.changes.get(table, {})
        return self._replace(changes={**self.changes, table: {**own, key: value}})


class RefusedError(Exception):
    """The sample cannot be sent."""


class CheckError(RefusedError):
    """A check of the spec refuses the sample.

    Attributes:
        index: which one.
    """

    def __init__(self, index: int, text: str) -> None:
        super().__init__(text)
        self.index = index


@dataclass(frozen=True)
class Answer:
    """What an endpoint says, for the expressions of `[response]`."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The body decoded from JSON, or None."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


def run(code: Code, values: Mapping[str, Any]) -> Any:
    """The value of an expression."""
    # safe: the tree holds nothing but what scaffold.expressions.compiler lets pass
    return eval(source(code.node), {**_FUNCTIONS, **values})


def sample_value(field: Setting, word: str) -> Any:
    """A value that differs from the default, as plain data."""
    match field.type.base:
        case Type.STR | Type.SECRET:
            return f"{word}-{field.key.replace('_', '-')}"
        case Type.BOOL:
            return True
        case Type.INT:
            return 7 if word == "configured" else 8
        case Type.FLOAT:
            return 0.5 if word == "configured" else 1.5
        case Type.DURATION:
            return MINUTE if word == "configured" else 2 * MINUTE
        case Type.LIST:
            return (f"{word}-a", f"{word}-b")
        case _:
            return {"key": f"{word}-value"}


def typed(field: Setting, value: Any) -> Any:
    """Plain data as the generated class holds it."""
    if field.type.base is Type.SECRET:
        return Secret(value)
    return Duration(value) if field.type.base is Type.DURATION else value


class Sample:
    """Sample values for one spec, and what comes out of them."""

    def __init__(self, spec: HandlerSpec) -> None:
        self.spec = spec

    @cached_property
    def url_keys(self) -> frozenset[str]:
        """The configuration keys that say where requests go."""
        found = set()
        for request in self.spec.requests:
            key = self._url_key(_leftmost(request.url.node))
            if key:
                found.add(key)
        return frozenset(found)

    def _url_key(self, node: ast.expr) -> str:
        match node:
            case ast.Attribute(value=ast.Name(id="config"), attr=name):
                return next(each.key for each in self.spec.config if each.name == name)
            case ast.Attribute(value=ast.Name(id="options"), attr=name):
                option = next(each for each in self.spec.options if each.name == name)
                if option.fallback is not None:
                    return self._url_key(_leftmost(option.fallback.node))
            case ast.Name(id=name):
                for each in self.spec.lets:
                    if each.name == name:
                        return self._url_key(_leftmost(each.code.node))
        return ""

    @cached_property
    def config(self) -> dict[str, Any]:
        """A configuration, by key, as plain data; the URLs have the host `BASE`."""
        return self._passing.config

    @cached_property
    def options(self) -> dict[str, Any]:
        """Options that a handler needs so that the checks pass, by key; mostly none."""
        return self._passing.options

    @cached_property
    def changes(self) -> dict[str, Any]:
        """Changes that an event needs so that the checks pass; mostly none."""
        return self._passing.changes

    def event(self, level: Level = Level.CRITICAL) -> Event:
        """An event that the checks let pass."""
        return changed_event(sample_event(level), self.changes)

    @cached_property
    def _first(self) -> Values:
        """The values that are tried first."""
        config = {}
        for field in self.spec.config:
            if field.key in self.url_keys:
                config[field.key] = BASE + self.url_path(field)
            elif field.example is not None:
                config[field.key] = field.example
            elif field.default and field.type.base is Type.STR:
                config[field.key] = field.default
            else:
                config[field.key] = sample_value(field, "configured")
        for field in self.spec.config:
            if field.check is not None and not self._allows(field, config):
                config[field.key] = self._allowed(field, config)
        return Values(config, {}, {})

    def _allowed(self, field: ConfigField, config: Mapping[str, Any]) -> Any:
        """A value that the setting's own check allows.

        Raises:
            SpecError: there is none among those that are tried.
        """
        assert field.check is not None
        if field.example is not None:
            raise self._unsampled(
                ("config", field.key, "example"),
                "does not pass the check of its setting",
                "correct one",
            )
        first = (config[field.key], field.default)
        for value in candidates(field.type.base, [field.check.node], first):
            if self._allows(field, {**config, field.key: value}):
                return value
        raise self._unsampled(
            ("config", field.key, "check"),
            "the generator finds no value that passes",
            "add 'example' to this key, with a value that passes",
        )

    @cached_property
    def _passing(self) -> Values:
        """Values that pass all checks.

        Each round makes one check more pass than before, or gives up.

        Raises:
            SpecError: there are none among those that are tried.
        """
        values = self._first
        failing = self._failing(values)
        while failing is not None:
            values = self._better(values, failing)
            failing = self._failing(values)
        return values

    def _better(self, values: Values, failing: int) -> Values:
        """Values with which at least one check more passes."""
        check = self.spec.checks[failing]
        seats = self._seats(check.that)
        nodes = [each.that.node for each in self.spec.checks[: failing + 1]]
        nodes += [each.code.node for each in self.spec.lets]
        choices = [self._candidates(seat, values, nodes) for seat in seats]
        for combination in itertools.islice(itertools.product(*choices), _MOST_TRIES):
            tried = values
            for seat, value in zip(seats, combination, strict=True):
                tried = tried.having(seat, value)
            now = self._failing(tried)
            if now is None or now > failing:
                return tried
        for example in self.spec.examples:
            tried = self._exemplified(values, example)
            now = self._failing(tried)
            if now is None or now > failing:
                return tried
        raise self._unsampled(
            ("check", failing, "that"),
            "the generator finds no values that pass",
            "add 'example' to a setting or option, or an [[example]] that passes",
        )

    def _exemplified(self, values: Values, example: Example) -> Values:
        """The values with those of an author's case."""
        config = {
            key: value
            for key, value in example.config.items()
            if key not in self.url_keys
        }
        return Values(
            {**values.config, **config},
            {**values.options, **example.options},
            {**values.changes, **example.event},
        )

    def _unsampled(self, where: Path, problem: str, hint: str) -> SpecError:
        line = positions(self.spec.text).line(where)
        return SpecError(
            [Fault(shown(where), f"{problem}; {hint}", line=line)], self.spec.path
        )

    def _failing(self, values: Values) -> int | None:
        """The first check that refuses these values, or None."""
        try:
            self.request(values.config, values.options, self._changed(values))
        except CheckError as error:
            return error.index
        except RefusedError:
            return None
        return None

    def _changed(self, values: Values) -> Event:
        return changed_event(sample_event(), values.changes)

    def _seats(self, that: Code) -> list[Seat]:
        """Values that a condition depends on and that a test can choose."""
        options = [each for each in self.spec.options if not each.alias_of]
        seats: list[Seat] = []
        for key in sorted(self._reads(that)):
            seats.append(("config", key))
        for option in options:
            if f"opt.{option.key}" in that.reads and not (
                option.fallback is not None and self._reads(option.fallback)
            ):
                seats.append(("option", option.key))
        for node in self._nodes(that):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=holder, attr="get"),
                    args=[ast.Constant(value=str() as key), *_],
                ) | ast.Call(
                    func=ast.Name(id="get"),
                    args=[holder, ast.Constant(value=str() as key), *_],
                ):
                    _, _, table = ast.unparse(holder).rpartition("event.data.")
                    if table in ("tags", "fields"):
                        seats.append((table, key))
        return list(dict.fromkeys(seats))

    def _nodes(self, that: Code) -> Iterator[ast.AST]:
        """The nodes of a condition, those of `[let]` included."""
        lets = {each.name: each.code for each in self.spec.lets}
        waiting, seen = [that], set[str]()
        while waiting:
            for node in ast.walk(waiting.pop().node):
                yield node
                if isinstance(node, ast.Name) and node.id in lets.keys() - seen:
                    seen.add(node.id)
                    waiting.append(lets[node.id])

    def _candidates(
        self, seat: Seat, values: Values, nodes: Sequence[ast.expr]
    ) -> list[Any]:
        table, key = seat
        if table == "config":
            field: Setting = next(each for each in self.spec.config if each.key == key)
            if key in self.url_keys:
                return [values.config[key]]
            if field.example is not None:
                return [field.example]
            first = [values.config[key], field.default, field.type.empty]
            found = candidates(field.type.base, nodes, first)
            return [each for each in found if self._may_be(key, each, values)]
        if table == "option":
            field = next(each for each in self.spec.options if each.key == key)
            if field.example is not None:
                return [field.example]
            said = values.options.get(key, field.default)
            first = [sample_value(field, "explicit"), said]
            return candidates(field.type.base, nodes, first)
        if table == "tags":
            return candidates(Type.STR, nodes, [f"my-{key}"])
        return [
            *candidates(Type.FLOAT, nodes, [3.5]),
            *candidates(Type.STR, nodes, [key]),
        ]

    def _may_be(self, key: str, value: Any, values: Values) -> bool:
        """True if the setting's own rules allow a value."""
        field = next(each for each in self.spec.config if each.key == key)
        if field.required and not value:
            return False
        return field.check is None or self._allows(field, {**values.config, key: value})

    def url_path(self, field: ConfigField) -> str:
        """What stands in for the path of a URL of the configuration.

        It is that of the default. Where text follows the URL that begins no path, as in
        `${config.url}${config.token}`, it is at least a slash: else that text would
        become part of the host.
        """
        path = urlsplit(field.default).path if field.default else ""
        if not path and any(_goes_on(each.url.node) for each in self.spec.requests):
            return "/"
        return path

    def _allows(self, field: ConfigField, config: Mapping[str, Any]) -> bool:
        assert field.check is not None
        return bool(run(field.check, {"self": self._namespace(config)}))

    def _reads(self, code: Code) -> set[str]:
        """The configuration keys that an expression depends on."""
        keys = set()
        for each in code.reads:
            table, _, key = each.partition(".")
            if table == "config":
                keys.add(key)
            for option in self.spec.options:
                if table == "opt" and option.key == key and option.fallback is not None:
                    keys |= self._reads(option.fallback)
        return keys

    def _is_refused(
        self, config: Mapping[str, Any], options: Mapping[str, Any]
    ) -> bool:
        try:
            self.request(config, options, sample_event())
        except RefusedError:
            return True
        return False

    def _namespace(self, config: Mapping[str, Any]) -> SimpleNamespace:
        return SimpleNamespace(
            enabled=True,
            **{each.name: typed(each, config[each.key]) for each in self.spec.config},
        )

    def _options(
        self, config: SimpleNamespace, said: Mapping[str, Any]
    ) -> SimpleNamespace:
        """The options in force, by Python name."""
        values: dict[str, Any] = {}
        for option in self.spec.options:
            value = typed(option, said.get(option.key, option.default))
            is_said = option.key in said if option.is_bound_early else bool(value)
            if option.fallback is not None and not is_said:
                value = run(option.fallback, {"config": config})
                if option.type.base is Type.SECRET and isinstance(value, str):
                    value = Secret(value)
            values[option.name] = value
        return SimpleNamespace(**values)

    def request(
        self, config: Mapping[str, Any], options: Mapping[str, Any], event: Event
    ) -> str | None:
        """The request for `event` as text; None where nothing is sent.

        Raises:
            RefusedError: a check does not hold.
        """
        settings = self._namespace(config)
        values: dict[str, Any] = {
            "config": settings,
            "options": self._options(settings, options),
            "event": event,
            **{
                each.constant: {Level[key]: value for key, value in each.values.items()}
                for each in self.spec.levels
            },
        }
        for let in self.spec.lets:
            values[let.name] = run(let.code, values)
        for index, check in enumerate(self.spec.checks):
            if not run(check.that, values):
                raise CheckError(index, run(check.error, values))
        for request in self.spec.requests:
            if request.when is None or run(request.when, values):
                try:
                    return _shown(request, values)
                except DeliveryError as error:
                    raise RefusedError(str(error)) from None
        return None

    def levels(self) -> str:
        """The requests for an event of each level, as the generated test shows them."""
        shown = {}
        for level in Level:
            try:
                request = self.request(self.config, self.options, self.event(level))
                shown[str(level)] = "nothing" if request is None else request
            except RefusedError as error:
                shown[str(level)] = f"refused: {error}"
        return shown_levels(shown)

    @cached_property
    def test_level(self) -> Level | None:
        """The level of the service test's event, where the spec does not say one.

        CRITICAL, or the first below it that is sent; None where it makes no difference.
        """
        if any(each.feeds == "event.level" for each in self.spec.test):
            return None
        sent: dict[Level, str | None] = {}
        for level in reversed(Level):
            try:
                sent[level] = self._service_test(level)
            except RefusedError:
                sent[level] = None
        if len(set(sent.values())) == 1:
            return None
        return next(level for level, text in sent.items() if text)

    def service_test(self) -> str:
        """The request of the service test with its defaults.

        Raises:
            SpecError: a check refuses it, or it sends nothing.
        """
        try:
            sent = self._service_test(self.test_level or Level.OK)
            problem = "the service test sends nothing, as no 'when' holds for its event"
        except RefusedError as error:
            sent, problem = None, f"the service test is refused: {error}"
        if sent is not None:
            return sent
        where = ("test",)
        problem += (
            "; set the options and the parts of the event that it needs in [test]"
        )
        line = positions(self.spec.text).line(where)
        raise SpecError([Fault("test", problem, line=line)], self.spec.path)

    def _service_test(self, level: Level) -> str | None:
        """The request of the service test, for an event of a level unless it says one."""
        settings = self._namespace(self.config)
        state: dict[str, Any] = {"id": f"test {self.spec.names.kind}", "level": level}
        options: dict[str, Any] = {}
        data: dict[str, Any] = {}
        topic = ""
        for field in self.spec.test:
            if field.code is None:
                value = field.default
            else:
                value = run(field.code, {"self": SimpleNamespace(config=settings)})
            table, _, name = field.feeds.partition(".")
            if table == "opt":
                options[name] = value
            elif name == "level":
                state[name] = Level[value]
            elif name == "time":
                state[name] = expressions.parse_time(value)
            elif name in EventState.__dataclass_fields__:
                state[name] = value
            elif name == "topic":
                topic = value
            else:
                data["task_name" if name == "task" else name] = value
        event = Event(topic, EventState(**state), EventData(**data))
        return self.request(self.config, options, event)

    def fallbacks(self) -> list[tuple[Option, ConfigField]]:
        """The options whose fallback can be seen by changing one configuration key."""
        found = []
        for option in self.spec.options:
            field = self._plain_fallback(option)
            if field is None or self._is_read_directly(field):
                continue
            other = sample_value(field, "other")
            if field.key in self.url_keys:
                continue
            config = {**self.config, field.key: other}
            if not (self.options or self.changes or self._is_refused(config, {})):
                found.append((option, field))
        return found

    def _plain_fallback(self, option: Option) -> ConfigField | None:
        match option.fallback:
            case Code(node=ast.Attribute(value=ast.Name(id="config"), attr=name)):
                return next(
                    (
                        each
                        for each in self.spec.config
                        if each.name == name and each.type.base is option.type.base
                    ),
                    None,
                )
        return None

    def _is_read_directly(self, field: ConfigField) -> bool:
        key = f"config.{field.key}"
        codes: list[Code] = [each.code for each in self.spec.lets]
        codes += [each.that for each in self.spec.checks]
        for request in self.spec.requests:
            codes += request.codes()
        return any(key in code.reads for code in codes)

    def failure(self, status: int) -> tuple[str, str]:
        """The body of an answer that means failure, and what the service says then."""
        response = self.spec.response
        body = '"boom"'
        for key in reversed(response.error.split(".")):
            body = f"{{{json.dumps(key)}: {body}}}"
        answer = Answer(status, body)
        title = self.spec.title
        if response.message is None:
            return body, expressions.error_text(answer, response.error, title)
        return body, run(response.message, {"response": answer})

    @cached_property
    def accepted(self) -> str:
        """The body with which the fake server answers.

        Raises:
            SpecError: `that` refuses it.
        """
        response = self.spec.response
        answer = Answer(self.good_status, response.accepted)
        if response.that is None or run(response.that, {"response": answer}):
            return response.accepted
        key = "accepted" if response.accepted else "that"
        problem = (
            "the body fails 'that'"
            if response.accepted
            else "needs a body that passes it, for the generated tests"
        )
        where = ("response", key)
        allowed = "accepted = '…' with an answer that means success"
        line = positions(self.spec.text).line(where)
        fault = Fault(shown(where), problem, allowed, line=line)
        raise SpecError([fault], self.spec.path)

    @property
    def good_status(self) -> int:
        """A status that means success."""
        ok = self.spec.response.ok
        return 200 if not ok or 200 in ok else ok[0]

    @property
    def bad_status(self) -> int:
        """A status that means failure."""
        return next(
            each for each in (500, 503, 404) if each not in self.spec.response.ok
        )


def _leftmost(node: ast.expr) -> ast.expr:
    """What a text begins with."""
    match node:
        case ast.JoinedStr(values=[ast.FormattedValue(value=value), *_]):
            return _leftmost(value)
        case ast.BinOp(left=left):
            return _leftmost(left)
        case ast.Call(func=ast.Attribute(value=value)):
            return _leftmost(value)
        case ast.BoolOp(values=[*_, last]):
            return _leftmost(last)
        case ast.IfExp(body=body):
            return _leftmost(body)
    return node


def _goes_on(node: ast.expr) -> bool:
    """Whether a text goes on after its first part without beginning a path."""
    match node:
        case ast.JoinedStr(values=[_, ast.Constant(value=str() as text), *_]):
            return not text.startswith(("/", "?"))
        case ast.JoinedStr(values=[_, _, *_]):
            return True
        case ast.BinOp(right=ast.Constant(value=str() as text)):
            return not text.startswith(("/", "?"))
        case ast.BinOp(left=ast.BinOp() as left):
            return _goes_on(left)
    return isinstance(node, ast.BinOp)


def _shown(request: RequestSpec, values: Mapping[str, Any]) -> str:
    url = run(request.url, values)
    query = None
    if request.query is not None:
        query = _parameters(request.query, values)
    if request.path or query is not None:
        path = [run(each, values) for each in request.path]
        extend = urls.join if request.has_slashes else urls.below
        url = extend(url, *path, query=query)
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {**content_type(request), **_parameters(request.headers, values)}
    if request.token is not None:
        token = run(request.token, values)
        secret = token if isinstance(token, Secret) else Secret(token)
        if request.is_optional:
            headers |= expressions.authorization(request.scheme, secret)
        else:
            headers["Authorization"] = f"{request.scheme} {secret.reveal()}"
    if request.basic is not None:
        user, password = (run(each, values) for each in request.basic)
        headers |= expressions.basic_auth(user, password)
    return shown_request(request.method, target, headers, _body(request, values))


def _parameters(
    entries: Mapping[str, Parameter], values: Mapping[str, Any]
) -> dict[str, Any]:
    made = {name: run(each.code, values) for name, each in entries.items()}
    return {
        name: value
        for name, value in made.items()
        if value or not entries[name].is_optional
    }


def content_type(request: RequestSpec) -> dict[str, str]:
    """The content type that a body has unless the spec says another."""
    if any(name.lower() == "content-type" for name in request.headers):
        return {}
    types = {
        "json": "application/json",
        "form": "application/x-www-form-urlencoded",
        "text": "text/plain; charset=utf-8",
    }
    return {"Content-Type": types[request.body_kind]} if request.body_kind else {}


def _body(request: RequestSpec, values: Mapping[str, Any]) -> bytes:
    if request.body is None:
        return b""
    value = run(request.body, values)
    match request.body_kind:
        case "json":
            return encode(
                value, newline=request.has_newline, sort_keys=request.is_sorted
            )
        case "form":
            return urls.form(value).encode()
    return str(value).encode()
