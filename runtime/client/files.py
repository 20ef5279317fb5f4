"""Definitions in YAML and JSON files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runtime.client.errors import CommandError


def read_mapping(path: str, what: str) -> dict[str, Any]:
    """The object in a `.yaml`, `.yml` or `.json` file.

    Raises:
        CommandError: another extension, or a file that does not read as an object.
    """
    suffix = Path(path).suffix
    if suffix not in (".yaml", ".yml", ".json"):
        raise CommandError("bad file extension. Must be YAML or JSON")
    kind = "json" if suffix == ".json" else "yaml"
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as fault:
        reason = (fault.strerror or str(fault)).lower()
        raise CommandError(
            f'failed to open {what} "{path}": open {path}: {reason}'
        ) from fault
    except UnicodeDecodeError as fault:
        raise CommandError(f'failed to read {what} "{path}": not UTF-8 text') from fault
    try:
        value = json.loads(text) if kind == "json" else from_yaml(text)
    except RecursionError as fault:
        raise CommandError(
            f'failed to read {what} "{path}": nested too deep'
        ) from fault
    except ValueError as fault:
        reason = _json_fault(fault) if kind == "json" else str(fault)
        raise CommandError(
            f'failed to unmarshal {kind} {what.replace(" spec", "")} "{path}": {reason}'
        ) from fault
    if not isinstance(value, dict):
        raise CommandError(f'failed to unmarshal {kind} {what} "{path}": not an object')
    return value


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
    return f"did not find {text}" if text.startswith("expected") else text


def _json_fault(fault: ValueError) -> str:
    if isinstance(fault, json.JSONDecodeError) and fault.pos >= len(fault.doc.rstrip()):
        return "unexpected EOF"
    return str(fault)
