"""Settings that hold destinations of requests, and their values in tests."""

from __future__ import annotations

import ast
from urllib.parse import urlsplit

from scaffold.spec.model import ConfigField, HandlerSpec

BASE = "http://host"


def url_keys(spec: HandlerSpec) -> frozenset[str]:
    """The configuration keys of destinations."""
    found = (_url_key(spec, _leftmost(each.url.node)) for each in spec.requests)
    return frozenset(key for key in found if key)


def _url_key(spec: HandlerSpec, node: ast.expr) -> str:
    match node:
        case ast.Attribute(value=ast.Name(id="config"), attr=name):
            return next(each.key for each in spec.config if each.name == name)
        case ast.Attribute(value=ast.Name(id="options"), attr=name):
            option = next(each for each in spec.options if each.name == name)
            if option.fallback is not None:
                return _url_key(spec, _leftmost(option.fallback.node))
        case ast.Name(id=name):
            for each in spec.lets:
                if each.name == name:
                    return _url_key(spec, _leftmost(each.code.node))
    return ""


def url_path(spec: HandlerSpec, field: ConfigField) -> str:
    """A path for a URL of the configuration.

    It is that of the default. Where text follows the URL that begins no path, as in
    `${config.url}${config.token}`, it is at least a slash: else that text would
    become part of the host.
    """
    path = urlsplit(field.default).path if field.default else ""
    if not path and any(_goes_on(each.url.node) for each in spec.requests):
        return "/"
    return path


def _leftmost(node: ast.expr) -> ast.expr:
    """The fixed start of a text."""
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
    """True if a text goes on after its first part without beginning a path."""
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
