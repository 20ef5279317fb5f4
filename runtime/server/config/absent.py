"""Sections of a configuration file that this server does not have.

Disabled sections are ignored. A missing handler that is enabled is an error, because
its alerts would be lost; anything else is reported once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from runtime.pipeline.missing_handlers import OTHER_PROTOCOLS
from runtime.pipeline.missing_handlers import SECTIONS as HANDLERS
from runtime.server.config.decoding import is_enabled, matching
from runtime.suggestions import nearest, suggestion
from runtime.toml_lines import printable

# Kapacitor's other sections, and the effect that is missing; "" for none
OTHERS = {
    "stats": "statistics are served at /metrics and /kapacitor/v1/debug/vars, not "
    "written as points",
    "reporting": "",
    "udf": "user-defined functions are not run",
    "fluxtask": "Flux tasks are not run",
    "tls": "its versions and ciphers are not applied: Python's defaults are used",
    **dict.fromkeys(
        ("collectd", "graphite", "opentsdb"),
        "points are accepted in line protocol only",
    ),
    **dict.fromkeys(("kubernetes", "swarm"), "nothing is scaled"),
    **dict.fromkeys(
        (
            *("azure", "consul", "dns", "ec2", "file-discovery", "gce", "marathon"),
            *("nerve", "scraper", "serverset", "static-discovery", "triton"),
        ),
        "nothing is discovered or scraped",
    ),
}
# sections without `enabled`: in force as soon as they have settings
_ALWAYS_ON = frozenset(("tls", "udf"))
KNOWN = HANDLERS | frozenset(OTHERS)
# sections of InfluxDB's and Telegraf's files, which users paste into Kapacitor's, and
# `[static.labels]`, a slip in the file that Kapacitor's packages install
_FOREIGN = frozenset(
    (
        "static",
        *("admin", "cluster", "continuous_queries", "coordinator", "data"),
        *("hinted-handoff", "ifql", "meta", "monitor", "retention"),
        *("shard-precreation", "subscriber"),
        *("agent", "aggregators", "global_tags", "inputs", "outputs", "processors"),
    )
)
_VARIABLE = re.compile(r"KAPACITOR_([A-Z0-9_]+?)(?:_(\d+))?_ENABLED")
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))


class Judgement(NamedTuple):
    """Findings about sections that this server lacks.

    Attributes:
        faults: enabled handlers that are missing.
        warnings: other settings without effect.
        variables: environment variables that were checked.
    """

    faults: list[str]
    warnings: list[str]
    variables: set[str]


@dataclass(frozen=True, slots=True)
class Absent:
    """A section of a file that this server does not have.

    Attributes:
        name: name as written in the file.
        lines: lines of its tables.
        tables: tables of the section: one, or those of a list.
    """

    name: str
    lines: tuple[int, ...]
    tables: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, name: str, lines: Iterable[int], value: object) -> Absent:
        """A value of the file as a section."""
        listed = value if isinstance(value, list) else [value]
        tables = tuple(each if isinstance(each, Mapping) else {} for each in listed)
        return cls(name, tuple(lines), tables)


class Present(NamedTuple):
    """The sections that this server has.

    Attributes:
        own: sections of the server itself.
        handlers: sections of integrations.
    """

    own: frozenset[str]
    handlers: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        """The sections of both kinds."""
        return self.own | self.handlers


def judged(
    absent: Iterable[Absent], environ: Mapping[str, str], present: Present
) -> Judgement:
    """Findings about the sections `absent`, with the environment applied.

    Args:
        absent: the sections of the file.
        environ: environment variables.
        present: sections that this server has.
    """
    judgement = Judgement([], [], set())
    switches: dict[tuple[str, int], str] = {}
    for variable, name, index in _switches(environ, present):
        judgement.variables.add(variable)
        switches[name, index] = variable

    def is_on(name: str, index: int, otherwise: bool) -> bool:
        variable = switches.pop((name, index), None)
        return otherwise if variable is None else environ[variable] not in _FALSE

    named = [(matching(each.name, KNOWN) or each.name, each) for each in absent]
    for name, section in named:
        enabled = [
            index
            for index, table in enumerate(section.tables)
            if is_on(name, index, _is_on(name, table))
        ]
        where = f"line {section.lines[min(enabled, default=0)]}"
        _judge(judgement, name, where, bool(enabled), present)
    for (name, _), variable in switches.items():
        if environ[variable] not in _FALSE:
            _judge(judgement, name, variable, True, present)
    return judgement


def variables(name: str) -> str:
    """Prefix of a section's variables: `KAPACITOR_STATIC_DISCOVERY_`."""
    return f"KAPACITOR_{_variable(name)}_"


def _judge(
    judgement: Judgement, name: str, where: str, is_on: bool, present: Present
) -> None:
    if name in OTHERS:
        if is_on and OTHERS[name]:
            text = f"{where}: [{name}] has no effect: {OTHERS[name]}"
            judgement.warnings.append(text)
    elif name in _FOREIGN:
        judgement.warnings.append(f"{where}: unknown section [{name}] has no effect")
    elif not name.isprintable():
        text = f"{where}: unknown section [{printable(name)}] has no effect"
        judgement.warnings.append(text)
    elif is_on:
        judgement.faults.append(f"{where}: {_missing(name, present)}")
    elif name not in HANDLERS:
        hint = suggestion(name, KNOWN | present.all)
        text = f"{where}: unknown section [{name}] has no effect{hint}"
        judgement.warnings.append(text)


def _missing(name: str, present: Present) -> str:
    make = (
        "It does not speak HTTP and cannot be generated. Disable it"
        if name in OTHER_PROTOCOLS
        else "Run kapacitord in the project that has it, install that project, generate the "
        f"handler with `scaffold new-handler --spec {name}.toml`, disable it"
    )
    near = None if name in HANDLERS else nearest(name, HANDLERS | present.all)
    hint = f' (did you mean "{near}"?)' if near else ""
    return (
        f'[{name}] is enabled, and this server has no handler "{name}"{hint}. {make}, '
        "or start with -lenient, without its alerts"
    )


def _is_on(name: str, table: Mapping[str, Any]) -> bool:
    if name in _ALWAYS_ON:
        return any(table.values())
    return is_enabled(table)


def _switches(
    environ: Mapping[str, str], present: Present
) -> Iterator[tuple[str, str, int]]:
    """The variables that enable absent sections, with name and index."""
    known = {_variable(name): name for name in KNOWN - present.all}
    own = tuple(_variable(name) for name in present.all)
    for variable, value in sorted(environ.items()):
        found = _VARIABLE.fullmatch(variable)
        if found is None or not value:
            continue
        name = known.get(found[1])
        if name is None and not found[1].startswith(own):
            # perhaps a typo of a handler's name; other variables may be those of other
            # programs
            likely = found[1].lower()
            name = likely if nearest(likely, HANDLERS | present.handlers) else None
        if name is not None:
            yield variable, name, int(found[2] or 0)


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
