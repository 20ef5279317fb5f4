"""YAML 1.1 documents as Go's ghodss/yaml reads them."""

from __future__ import annotations

import functools
import json
from typing import Any

from runtime.golang.utf8 import scrub

# more than any handler, task or template has without aliases
_EXPANDED_CHARACTERS = 1_000_000
_TOO_DEEP = "error converting YAML to JSON: yaml: exceeded maximum nesting depth"


def from_yaml(text: str, most: int | None = None) -> Any:
    """The value of a YAML 1.1 document; a key given twice is refused.

    Args:
        text: the document.
        most: maximum number of values, keys included; None for no limit.

    Raises:
        ValueError: the document is invalid; the text is Go's, with the line.
    """
    import yaml

    loader = _loader()
    text = scrub(text)
    try:
        if most is not None:
            _check_number(loader(text), text, most)
        value = _constructed(loader(text))
    except yaml.MarkedYAMLError as fault:
        problem = _yaml_problem(fault.problem)
        raise ValueError(
            f"error converting YAML to JSON: yaml: {_yaml_line(fault)}{problem}"
        ) from fault
    except yaml.YAMLError as fault:
        raise ValueError(f"error converting YAML to JSON: yaml: {fault}") from fault
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    try:
        json.dumps(value)
    except (TypeError, ValueError) as fault:
        # sets, binary data and lists that contain themselves
        raise ValueError(f"error converting YAML to JSON: {fault}") from fault
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    return value


@functools.cache
def _loader() -> Any:
    """The class that loads YAML as Go's library does."""
    import yaml

    # Go's library is a port of libyaml and has its error texts
    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # built or not
        pass

    def mapping(loader: Any, node: yaml.MappingNode) -> dict[str, Any]:
        loader.flatten_mapping(node)
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(loader.construct_object(key_node, deep=True))
            if key in found:
                line = key_node.start_mark.line + 1
                raise ValueError(
                    f'error converting YAML to JSON: yaml: line {line}: key "{key}" '
                    "already set in map"
                )
            found[key] = loader.construct_object(value_node, deep=True)
        return found

    def integer(loader: Any, node: yaml.ScalarNode) -> int | str:
        try:
            return int(loader.construct_yaml_int(node))
        # Go also keeps a number that is out of range as a string
        except ValueError:
            return str(node.value)

    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    Loader.add_constructor("tag:yaml.org,2002:int", integer)
    # dates stay strings, as JSON has no type for them
    Loader.add_constructor(
        "tag:yaml.org,2002:timestamp", lambda loader, node: node.value
    )
    return Loader


def _check_number(loader: Any, text: str, most: int) -> None:
    """Refuse a document of too many values before they are constructed.

    Constructing a value takes some 20 µs, reading its event a tenth of that.
    """
    from yaml.constructor import ConstructorError
    from yaml.events import AliasEvent, NodeEvent

    # every value takes a character at least, and its separator another
    if len(text) <= 2 * most:
        loader.dispose()
        return
    found = 0
    try:
        while loader.check_event():
            event = loader.get_event()
            found += isinstance(event, NodeEvent) and not isinstance(event, AliasEvent)
            if found > most:
                raise ConstructorError(
                    problem=f"document contains more than {most} values",
                    problem_mark=event.start_mark,
                )
    finally:
        loader.dispose()


def _constructed(loader: Any) -> Any:
    """Construct the value of a document, unless its aliases multiply it excessively.

    Source: go-yaml, decode.go, "document contains excessive aliasing".
    """
    from yaml.constructor import ConstructorError

    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _characters(node) > _EXPANDED_CHARACTERS:
            raise ConstructorError(
                problem="document contains excessive aliasing",
                problem_mark=node.start_mark,
            )
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _characters(root: Any) -> int:
    """Length of a document with all aliases replaced; each node is visited once.

    A node inside itself counts once; constructing it fails with another error.
    """
    sizes: dict[int, int] = {}
    stack = [(root, False)]
    while stack:
        node, is_done = stack.pop()
        key = id(node)
        if is_done:
            sizes[key] = 1 + sum(sizes[id(child)] for child in _children(node))
        elif key not in sizes:
            sizes[key] = 1
            children = _children(node)
            if children:
                stack.append((node, True))
                stack.extend((child, False) for child in children)
            else:
                sizes[key] += len(node.value)
    return sizes[id(root)]


def _children(node: Any) -> list[Any]:
    if node.id == "mapping":
        return [each for pair in node.value for each in pair]
    return list(node.value) if node.id == "sequence" else []


def _yaml_line(fault: Any) -> str:
    """The line of the fault, counted as Go's library does: parser errors from 0."""
    from yaml.scanner import ScannerError

    mark = fault.problem_mark or fault.context_mark
    line = mark.line if mark else 0
    if isinstance(fault, ScannerError):
        line += 1
    return f"line {line}: " if line else ""


def _yaml_problem(problem: str | None) -> str:
    text = (problem or "invalid").partition(", but ")[0]
    text = text.replace("expected the ", "expected ", 1)
    return f"did not find {text}" if text.startswith("expected") else text
