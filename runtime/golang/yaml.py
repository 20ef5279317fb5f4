"""YAML 1.1 documents as Go's ghodss/yaml reads them."""

from __future__ import annotations

import json
from typing import Any


def from_yaml(text: str) -> Any:
    """The value of a YAML 1.1 document; a key given twice is refused.

    Raises:
        ValueError: with Go's text, `error converting YAML to JSON: yaml: line 2: …`.
    """
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[str, Any]:
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

    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    # dates stay the text they are written as, for JSON has no other form
    Loader.add_constructor(
        "tag:yaml.org,2002:timestamp", lambda loader, node: node.value
    )
    try:
        value = yaml.load(text, Loader)
    except yaml.MarkedYAMLError as fault:
        problem = _yaml_problem(fault.problem)
        raise ValueError(
            f"error converting YAML to JSON: yaml: {_yaml_line(fault)}{problem}"
        ) from fault
    except yaml.YAMLError as fault:
        raise ValueError(f"error converting YAML to JSON: yaml: {fault}") from fault
    try:
        json.dumps(value)
    except (TypeError, ValueError) as fault:
        # sets, binary data and lists that contain themselves
        raise ValueError(f"error converting YAML to JSON: {fault}") from fault
    return value


def _yaml_line(fault: Any) -> str:
    """Where the fault is, counted as Go's library does: parser errors from 0."""
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
