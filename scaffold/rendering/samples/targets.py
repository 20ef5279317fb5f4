"""Settings that hold destinations of requests, and their values in tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from urllib.parse import urlsplit

from scaffold.spec import transports
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.model.settings import ConfigField

BASE = "http://host"
ADDRESS = "host:80"


def url_keys(spec: HandlerSpec) -> frozenset[str]:
    """The configuration keys of destinations."""
    found = {transports.address_key(spec, each) for each in spec.requests if each.to}
    return frozenset(found - {""}).union(
        *(_keys(spec, each.url.node) for each in spec.requests if not each.to)
    )


def _keys(spec: HandlerSpec, node: ast.expr) -> Iterator[str]:
    """The keys whose values a text may begin with."""
    for start in _starts(node):
        match start:
            case ast.Attribute(value=ast.Name(id="config"), attr=name):
                yield next(each.key for each in spec.config if each.name == name)
            case ast.Attribute(value=ast.Name(id="options"), attr=name):
                option = next(each for each in spec.options if each.name == name)
                if option.fallback is not None:
                    yield from _keys(spec, option.fallback.node)
            case ast.Name(id=name):
                for each in spec.lets:
                    if each.name == name:
                        yield from _keys(spec, each.code.node)


def url_path(spec: HandlerSpec, field: ConfigField) -> str:
    """A path for a URL of the configuration.

    It is the path of the default. If the text after the URL does not begin a path, as in
    `${config.url}${config.token}`, it is at least a slash; otherwise that text would
    become part of the host.
    """
    path = urlsplit(field.default).path if field.default else ""
    if not path and any(_continues(each.url.node) for each in spec.requests):
        return "/"
    return path


def _starts(node: ast.expr) -> Iterator[ast.expr]:
    """The values that a text may begin with: one for each branch of a condition."""
    match node:
        case ast.JoinedStr(values=[ast.FormattedValue(value=value), *_]):
            yield from _starts(value)
        case ast.BinOp(left=left):
            yield from _starts(left)
        case ast.Call(func=ast.Attribute(value=value)):
            yield from _starts(value)
        case ast.BoolOp(values=values):
            for each in values:
                yield from _starts(each)
        case ast.IfExp(body=body, orelse=orelse):
            yield from _starts(body)
            yield from _starts(orelse)
        case _:
            yield node


def _continues(node: ast.expr) -> bool:
    """True if a text continues after its first part without starting a path."""
    match node:
        case ast.JoinedStr(values=[_, ast.Constant(value=str() as text), *_]):
            return not text.startswith(("/", "?"))
        case ast.JoinedStr(values=[_, _, *_]):
            return True
        case ast.BinOp(right=ast.Constant(value=str() as text)):
            return not text.startswith(("/", "?"))
        case ast.BinOp(left=ast.BinOp() as left):
            return _continues(left)
    return isinstance(node, ast.BinOp)


def target(spec: HandlerSpec, field: ConfigField) -> str:
    """The value of a setting that is a destination, in samples."""
    return ADDRESS if spec.transport == "tcp" else BASE + url_path(spec, field)
