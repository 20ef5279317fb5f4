"""`define` and `define-template`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from runtime.client.api import Api
from runtime.client.errors import CommandError, UsageError
from runtime.client.files import read_mapping
from runtime.client.flags import Flags

USAGE = {
    "define": """Usage: kapacitor define <task ID> [options]

    Create or update a task. Options that you omit keep their values.
    A task that is enabled is reloaded.

Options:

    -tick string       path to the TICKscript
    -type string       ignored: the script decides between stream and batch
    -dbrp string       "database"."retention policy", the quotes are optional; repeatable
    -template string   ID of the template of the task
    -vars string       path to a JSON file with variables
    -file string       path to a YAML or JSON file that defines the task
    -no-reload         do not reload a running task
""",
    "define-template": """Usage: kapacitor define-template <template ID> [options]

    Create or update a template.

Options:

    -tick string   path to the TICKscript
    -type string   ignored: the script decides between stream and batch
    -file string   path to a YAML or JSON file that defines the template
""",
}
_FILE_KEYS = ("id", "template-id", "type", "dbrps", "script", "vars", "status")
_DBRP = re.compile(r'("(?:[^"\\]|\\.)*"|[^."]+)\.("(?:[^"\\]|\\.)*"|[^"]+)')


def define(api: Api, arguments: list[str]) -> None:
    """Create or update a task.

    Raises:
        CommandError: a file cannot be read, or the server refuses.
    """
    task, flags = _target(
        arguments, "task", ("tick", "type", "dbrp", "template", "vars", "file")
    )
    definition: dict[str, Any] = {}
    if flags.text("file"):
        definition = _from_file(flags.text("file"), task, "Task")
    if flags.text("type"):
        definition["type"] = flags.text("type")
    if flags.text("tick"):
        definition["script"] = read_text(flags.text("tick"))
    if flags.text("template"):
        definition["template-id"] = flags.text("template")
    if flags.texts("dbrp"):
        definition["dbrps"] = [_dbrp(each) for each in flags.texts("dbrp")]
    if flags.text("vars"):
        definition["vars"] = _variables(flags.text("vars"))
    if definition.get("type") not in ("stream", "batch"):
        definition.pop("type", None)
    path = f"/tasks/{task}"
    if not api.exists(path):
        api.post("/tasks", {"id": task, **definition})
        return
    updated = api.send("PATCH", path, definition)
    if updated.get("status") == "enabled" and not flags.is_set("no-reload"):
        api.send("PATCH", path, {"status": "disabled"})
        api.send("PATCH", path, {"status": "enabled"})


def define_template(api: Api, arguments: list[str]) -> None:
    """Create or update a template.

    Raises:
        CommandError: a file cannot be read, or the server refuses.
    """
    template, flags = _target(arguments, "template", ("tick", "type", "file"))
    definition: dict[str, Any] = {}
    if flags.text("file"):
        definition = _from_file(flags.text("file"), template, "Template")
    if flags.text("type") in ("stream", "batch"):
        definition["type"] = flags.text("type")
    if flags.text("tick"):
        definition["script"] = read_text(flags.text("tick"))
    if api.exists(f"/templates/{template}"):
        api.send("PATCH", f"/templates/{template}", definition)
    else:
        api.post("/templates", {"id": template, **definition})


def _target(
    arguments: list[str], what: str, texts: tuple[str, ...]
) -> tuple[str, Flags]:
    if not arguments or arguments[0].startswith("-"):
        raise UsageError(f"Must provide a {what} ID.")
    flags = Flags(arguments[1:], texts=texts, bools=("no-reload",))
    if flags.rest:
        raise UsageError(f"Must provide a {what} ID.")
    return arguments[0], flags


def read_text(path: str) -> str:
    """The text of a file.

    Raises:
        CommandError: the file cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as fault:
        reason = (fault.strerror or str(fault)).lower()
        raise CommandError(f"open {path}: {reason}") from fault
    except UnicodeDecodeError as fault:
        raise CommandError(f"{path} is not UTF-8 text: {fault.reason}") from fault


def _dbrp(text: str) -> dict[str, str]:
    found = _DBRP.fullmatch(text)
    if not found:
        raise UsageError(
            f"invalid value \"{text}\" for flag -dbrp: does not contain a '.', it must "
            'be in the form "dbname"."rpname" where the quotes are optional.'
        )
    return {"db": _plain(found[1]), "rp": _plain(found[2])}


def _plain(text: str) -> str:
    return text[1:-1].replace('\\"', '"') if text.startswith('"') else text


def _variables(path: str) -> object:
    try:
        return json.loads(read_text(path))
    except ValueError as fault:
        raise CommandError(f"invalid JSON in file {path}: {fault}") from fault


def _from_file(path: str, name: str, what: str) -> dict[str, Any]:
    definition = read_mapping(path, "task vars file", _FILE_KEYS)
    stated = definition.pop("id", name)
    if stated != name:
        raise CommandError(
            f"{what} id given on command line does not match id in {path}"
        )
    pairs = definition.get("dbrps")
    if isinstance(pairs, list) and all(isinstance(each, str) for each in pairs):
        definition["dbrps"] = [_dbrp(each) for each in pairs]
    return definition


COMMANDS = {"define": define, "define-template": define_template}
