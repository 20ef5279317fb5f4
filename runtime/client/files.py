"""Definitions in YAML and JSON files."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from runtime.client.errors import CommandError
from runtime.golang.yaml import from_yaml
from runtime.suggestions import check_keys


def read_mapping(path: str, what: str, known: Collection[str]) -> dict[str, Any]:
    """The object in a `.yaml`, `.yml` or `.json` file, its keys in lower case.

    Raises:
        CommandError: the extension is another one, the file is not an object, or a key
            is unknown.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as fault:
        reason = (fault.strerror or str(fault)).lower()
        raise CommandError(
            f'failed to open {what} "{path}": open {path}: {reason}'
        ) from fault
    suffix = Path(path).suffix
    if suffix not in (".yaml", ".yml", ".json"):
        raise CommandError("bad file extension. Must be YAML or JSON")
    kind = "json" if suffix == ".json" else "yaml"
    try:
        text = data.decode("utf-8")
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
    try:
        check_keys(value, known)
    except ValueError as fault:
        raise CommandError(f'failed to read {what} "{path}": {fault}') from fault
    return {key.lower(): each for key, each in value.items()}


def _json_fault(fault: ValueError) -> str:
    if isinstance(fault, json.JSONDecodeError) and fault.pos >= len(fault.doc.rstrip()):
        return "unexpected EOF"
    return str(fault)
