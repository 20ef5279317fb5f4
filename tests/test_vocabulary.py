"""docs/vocabulary.md: the parts of the vocabulary that each bundled service uses.

Made from the specs; --snapshot-update rewrites it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from scaffold.expressions.functions import FUNCTIONS
from scaffold.spec import keys
from scaffold.spec.keys import Key
from scaffold.spec.model.settings import TYPE_ALIASES

ROOT = Path(__file__).parents[1]
PATH = ROOT / "docs/vocabulary.md"
SPECS = {
    path.parent.name: path.read_text()
    for path in sorted(ROOT.glob("runtime/services/*/handler.toml"))
}
HEAD = """\
# The vocabulary in use

The parts of the [vocabulary of specs](specs.md), and the bundled services whose specs use each. The specs are
`runtime/services/*/handler.toml`. This page is made from them:
`python -m pytest tests/test_vocabulary.py --snapshot-update`.
"""
# tables of specs, with their keys; a star is any name
TABLES: Mapping[str, Sequence[Key]] = {
    "handler": keys.HANDLER,
    "handler.wrap": keys.WRAP,
    "instances": keys.INSTANCES,
    "config.*": keys.CONFIG,
    "option.*": keys.OPTION,
    "level.*": keys.LEVEL,
    "check": keys.CHECK,
    "request": keys.REQUEST,
    "request.auth": keys.AUTH,
    "connection": keys.CONNECTION,
    "response": keys.RESPONSE,
    "hook": keys.HOOK,
    "test.*": keys.TEST,
    "example": keys.EXAMPLE,
    "example.event": keys.EXAMPLE_EVENT,
    "example.want": keys.EXAMPLE_WANT,
}
# tables whose keys are names of the author's
NAMED = ("let", "remember")
FORMS = {
    '`"key?"`: left out where empty': r'\?"\s*=',
    '`"..."`: all entries of a map': r'"\.\.\."\s*=',
    "`@for`: an item per element": r'"@for"',
    "`@if`: filtered": r'"@if"',
    "`@value`: items that are not tables": r'"@value"',
}
NAMES = ("now", "server.url", "server.hostname", "delivery.key")


def at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """The values at a path; lists are entered."""
    if isinstance(value, list):
        for each in value:
            yield from at(each, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] == "*":
        for each in value.values():
            yield from at(each, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from at(value[path[0]], path[1:])


def strings(value: Any) -> Iterator[str]:
    """All strings inside a value, keys not included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings(each)


def keys_used(spec: Mapping[str, Any], path: str) -> set[str]:
    """The keys that a spec has in a table."""
    tables = at(spec, path.split("."))
    return {key for each in tables if isinstance(each, dict) for key in each}


def types_used(spec: Mapping[str, Any]) -> set[str]:
    """The types that a spec names, by their usual names."""
    found = {
        TYPE_ALIASES.get(each, each)
        for table in ("config", "option")
        for each in at(spec, (table, "*", "type"))
    }
    return found | (
        {"secret"} if True in at(spec, ("config", "*", "secret")) else set()
    )


def sections(specs: Mapping[str, str]) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """The title of each table of the page, and its rows: a part, and the services."""
    parsed = {kind: tomllib.loads(text) for kind, text in specs.items()}
    for path, known in TABLES.items():
        used = {kind: keys_used(spec, path) for kind, spec in parsed.items()}
        yield (
            f"`{path.replace('.*', '.NAME')}`",
            {f"`{key.name}`": users(used, key.name) for key in known},
        )
    yield (
        "Tables of names",
        {
            f"`{name}`": [kind for kind, spec in parsed.items() if name in spec]
            for name in NAMED
        },
    )
    used = {kind: types_used(spec) for kind, spec in parsed.items()}
    yield "Types", {f"`{name}`": users(used, name) for name in keys.TYPES}
    yield (
        "Forms of values",
        {
            form: [kind for kind, text in specs.items() if re.search(pattern, text)]
            for form, pattern in FORMS.items()
        },
    )
    texts = {kind: "\n".join(strings(spec)) for kind, spec in parsed.items()}
    yield "Names", {f"`{name}`": mentioned(texts, name, r"\b") for name in NAMES}
    yield (
        "Functions",
        {f"`{name}`": mentioned(texts, name, r"\(") for name in FUNCTIONS},
    )


def users(used: Mapping[str, set[str]], name: str) -> list[str]:
    return [kind for kind, found in used.items() if name in found]


def mentioned(texts: Mapping[str, str], name: str, end: str) -> list[str]:
    """The specs with a name in an expression."""
    pattern = rf"(?<![\w.]){re.escape(name)}{end}"
    return [kind for kind, text in texts.items() if re.search(pattern, text)]


def page(specs: Mapping[str, str]) -> str:
    """The page about these specs."""
    lines = [HEAD]
    for title, rows in sections(specs):
        lines += [f"## {title}\n", "| | services |", "|---|---|"]
        for part, kinds in rows.items():
            listed = "all" if len(kinds) == len(specs) else ", ".join(kinds)
            lines.append(f"| {part} | {listed or '–'} |")
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def test_the_page_is_that_of_the_specs(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("update_snapshots"):
        PATH.write_text(page(SPECS))
    assert PATH.read_text() == page(SPECS), "run pytest --snapshot-update on this file"


def test_every_table_of_specs_is_on_the_page() -> None:
    shown = {path.partition(".")[0] for path in TABLES} | {*NAMED}
    assert shown == {key.name for key in keys.SPEC}


def test_parts_are_found_wherever_they_are() -> None:
    spec = """
[handler]
name = "a"
[config]
token = { secret = true, type = "str" }
to = { type = "list", of = { x = "str" } }
[option]
hosts = { type = "list" }
[[request]]
auth = { token = "config.token" }
[request.json]
"at?" = "${rfc3339(now)}"
items = [{ "@for" = "x in opt.hosts", name = "${lower(x)}" }]
[[request]]
name = "login"
"""
    shown = dict(sections({"a": spec, "b": '[handler]\nname = "upper(now)"\n'}))
    used = {
        part for rows in shown.values() for part, kinds in rows.items() if "a" in kinds
    }
    assert used == {
        *("`name`", "`type`", "`secret`", "`of`", "`auth`", "`token`", "`json`"),
        *("`str`", "`list[str]`", '`"key?"`: left out where empty'),
        *("`@for`: an item per element", "`now`", "`rfc3339`", "`lower`"),
    }
    assert shown["Functions"]["`upper`"] == ["b"]
