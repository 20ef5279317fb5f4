"""Hostile points for hostile scripts; run by the tests in a process with little memory.

`python hostile.py FIRST COUNT [REPORT]` runs the cases FIRST … FIRST + COUNT - 1, each
chosen by its number alone, and prints the failures as a JSON list. Each case is a script
of some nodes and a few writes; the points come in columns, and one by one to a second
task. No task may stop, both must emit the same, each event must be fit for the store and
for JSON, and a case may take no more than a few seconds.
"""

from __future__ import annotations

import contextlib
import json
import logging
import random
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from runtime.alert.serialize import event_line
from runtime.alert.types import Event
from runtime.errors import ScriptError, TaskError
from runtime.integrations.bundled import INTEGRATIONS
from runtime.nodes.environment import Environment
from runtime.pipeline.evaluate import evaluate
from runtime.services.alert.state import check
from runtime.tasks.task_master import TaskMaster
from runtime.testing.alerts import RecordingTopics, services
from runtime.testing.clock import ManualClock
from runtime.tick.parser import parse
from runtime.units import EARLIEST, LATEST, SECOND

CASE_LIMIT_S = 10.0
NOW = 1_700_000_000 * SECOND
DBRPS = (("d", "r"),)

MOMENTS = (
    *(LATEST, LATEST - 1, LATEST - 3 * SECOND, EARLIEST, EARLIEST + 1),
    *(EARLIEST + 9 * SECOND, -1, 0, 1, NOW, NOW + 1, NOW - 10**17),
)
FLOATS = (
    *("0", "-0", "1", "-1", "0.5", "1e308", "-1.7976931348623157e308", "5e-324"),
    *("9007199254740993", "9223372036854775807", "1e19"),
)
INTEGERS = (
    *("0i", "1i", "-1i", "7i", "9223372036854775807i", "-9223372036854775808i"),
    *("9007199254740993i", "4611686018427387904i"),
)
TEXTS = (
    *('""', '"a"', '"{{ .Nope }}"', '"1h"', '"9e999"', '"nan"', '"line\nend"', '"٣"'),
    *('"\x00"', '"<b>&"', '"a\\"b"', f'"{"x" * 300}"'),
)
BOOLEANS = ("t", "f")
DURATIONS = ("1u", "1ms", "1s", "7s", "10s", "1h", "10000d", "106751d", "15250w")
NAMES = ("v", "w", "s", "x", "d")
EXPRESSIONS = (
    *('"v" / "w"', '"v" % "w"', '"v" * "v" * "v"', '-"v"', '"v" + "w"', '"s" + "s"'),
    *('int("v") * 9223372036854775807', 'int("v") - int("w")', 'int("v") / int("w")'),
    *('int(float("v") / 0.0)', 'float("v") / float("w")', 'int("v") % int("w")'),
    *('duration("v", 1s)', 'duration("v", 1h) * 1000000', "1h / 0.0", '-int("v")'),
    *('duration("v", 1u) / duration("w", 1u)', 'duration("v", 1u) / "w"'),
    *('duration("s", 1s)', '-(duration("v", 1s))', 'string(duration("v", 1s))'),
    *('sigma(float("v"))', 'spread(float("v"))', "count()", 'unixNano("time")'),
    *('pow(float("v"), float("w"))', 'log(float("v"))', 'sqrt(float("v"))'),
    *('mod(float("v"), float("w"))', 'gamma(float("v"))', 'exp(float("v"))'),
    *('jn(int("v"), float("w"))', 'pow10(int("v"))', 'atanh(float("v"))'),
    *('floor(float("v"))', 'logb(float("v"))', 'y0(float("v"))', 'cbrt(float("v"))'),
    *('hypot(float("v"), float("w"))', 'min(float("v"), float("w"))'),
    *('int("s")', 'float("s")', 'bool("s")', 'string("v") + "s"', 'humanBytes("v")'),
    *('strReplace("s", \'\', "s", -1)', "regexReplace(/./, \"s\", '$0$0$0')"),
    *('strSubstring("s", 0, int("v"))', 'strToUpper("s")', 'strTrim("s", "s")'),
    *('if("v" > 1, "v", "w")', 'isPresent("v")', 'hour("time") * int("v")'),
    *('"v"', '"w"', '"s"', 'year("time")', 'int("v")', 'float("v")', 'string("v")'),
)
PREDICATES = (
    *("TRUE", '"v" > 0', '"w" < 5', "\"s\" == 'a'", '"s" =~ /a/', '"v" / "w" > 1'),
    *('"d" > 1h', 'sigma(float("v")) > 1.0', "count() % 2 == 0", '"v" != "w"'),
    *('isPresent("x") AND "x" > 0', '"v" < -1', 'strLength("s") > 1', '"x" > 1.0'),
    *('"mean" > 1.0', 'unixNano("time") > 0', 'int("v") / int("w") > 0'),
)
TEMPLATES = (
    *("{{ .Nope }}", '{{ index .Fields "v" }}', "{{ .Tags.host.x }}", "{{ .Time }}"),
    *("{{ .Time.Nope }}", "{{ .Level }} {{ .Duration }}", "{{ len .Fields.v }}"),
    *("{{ range .Fields }}{{ . }}{{ end }}", "{{ if gt .Fields.v 1 }}x{{ end }}"),
    *("{{ slice .Name 5 1 }}", '{{ index .Tags "host" 5 }}', "{{ index .Name 99 }}"),
    *(
        '{{ printf "%d" .Fields.v }}',
        "{{ .ID }}",
        "{{ .Message }}",
        "{{ html .Fields }}",
    ),
)
AGGREGATES = (
    *("count", "sum", "mean", "median", "mode", "spread", "stddev"),
    *("min", "max", "first", "last", "distinct"),
)
STREAM, BATCH = "stream", "batch"


class Case:
    """A script and the writes for it, chosen by a number."""

    def __init__(self, number: int) -> None:
        self._random = random.Random(number)
        self.script = self._script()
        self.writes = self._writes()
        # points of several parents are merged in the order of their arrival
        self.is_ordered = "|union(" not in self.script and "|join(" not in self.script

    def _one(self, choices: Sequence[Any]) -> Any:
        return self._random.choice(choices)

    def _maybe(self, *texts: str) -> str:
        made: str = self._one(["", *texts])
        return made

    def _script(self) -> str:
        source = "stream|from()" + self._maybe(".measurement('m')", ".measurement('m')")
        source += self._maybe(
            f".where(lambda: {self._one(PREDICATES)})",
            f".round({self._one(DURATIONS)})",
            f".truncate({self._one(DURATIONS)})",
        )
        source += self._maybe(".groupBy('host')", ".groupBy(*)")
        chain, edge = "", STREAM
        for _ in range(self._random.randint(0, 4)):
            node, edge = self._node(edge)
            chain += node
        if edge == STREAM and self._random.random() < 0.2:
            chain += self._one(
                [
                    "|union(a)",
                    f"|join(a).as('l', 'r').tolerance({self._one(DURATIONS)})"
                    + self._maybe(".fill('null')", ".fill(0.0)", ".on('host')"),
                ]
            )
            node, edge = self._node(edge)
            chain += node
        return f"var a = {source}\na{chain}{self._alert()}"

    def _alert(self) -> str:
        made = "|alert()"
        for level in self._random.sample(["info", "warn", "crit"], 2):
            made += f".{level}(lambda: {self._one(PREDICATES)})"
            made += self._maybe("", f".{level}Reset(lambda: {self._one(PREDICATES)})")
        for text in ("id", "message", "details"):
            made += self._maybe("", f".{text}('{self._one(TEMPLATES)}')")
        made += self._maybe(f".flapping(0.2, 0.5).history({self._one([2, 21, 10**9])})")
        made += self._maybe(f".stateChangesOnly({self._one(DURATIONS)})")
        made += self._maybe(".idTag('i').levelTag('l').messageField('m')", ".all()")
        return made + self._maybe(".noRecoveries()") + ".topic('t')"

    def _node(self, edge: str) -> tuple[str, str]:
        name, duration = self._one(NAMES), self._one(DURATIONS)
        predicate = self._one(PREDICATES)
        if edge == STREAM and self._random.random() < 0.35:
            return self._window(), BATCH
        if self._random.random() < 0.25:
            return self._reduction(name), STREAM
        keep = self._maybe(".keep()", ".quiet()")
        made = self._one(
            [
                f"|where(lambda: {predicate})",
                f"|eval(lambda: {self._one(EXPRESSIONS)}).as('{name}'){keep}",
                f"|eval(lambda: {self._one(EXPRESSIONS)}, lambda: "
                f"{self._one(EXPRESSIONS)}).as('x', 'd')"
                + self._maybe(".keep('x', 'v')", ".tags('d')"),
                "|groupBy('host')",
                "|groupBy(*)",
                f"|derivative('{name}').unit({self._one(['0s', '1s', duration])})"
                + self._maybe(".nonNegative()"),
                f"|difference('{name}')",
                f"|elapsed('{name}', {duration})",
                f"|movingAverage('{name}', {self._one([1, 2, 10**9])})",
                f"|cumulativeSum('{name}')",
                f"|shift({self._maybe('-')}{duration})",
                f"|sample({self._one([duration, '2', '1000000000'])})",
                f"|stateDuration(lambda: {predicate}).unit({self._one(['0s', '1s'])})",
                f"|stateCount(lambda: {predicate})",
                f"|changeDetect('{name}')",
                f"|default().field('{name}', 0).tag('host', 'z')",
                f"|delete().field('{name}').tag('host')",
                f"|flatten().on('{self._one(['host', 'v'])}').tolerance({duration})",
                "|httpOut('out')",
            ]
        )
        if edge == STREAM and self._random.random() < 0.05:
            most = self._one([0, 100, 10**6])
            made = (
                f"|combine(lambda: {predicate}, lambda: TRUE).as('l', 'r')"
                f".tolerance({duration}).max({most})"
            )
        return made, edge

    def _window(self) -> str:
        if self._random.random() < 0.25:
            period = self._one([1, 2, 10, 10**9])
            every = self._one([1, 2, 5])
            return f"|window().periodCount({period}).everyCount({every})"
        every = self._one([*DURATIONS, "0s"])
        made = f"|window().period({self._one(DURATIONS)}).every({every})"
        return made + self._maybe(".align()", ".fillPeriod()", ".align().fillPeriod()")

    def _reduction(self, name: str) -> str:
        made: str = self._one(
            [
                *(f"|{each}('{name}')" for each in AGGREGATES),
                f"|percentile('{name}', {self._one(['0.0', '50.0', '100.0', '-1.0'])})",
                f"|top({self._one([1, 9, 2**63 - 1])}, '{name}')",
                f"|bottom(3, '{name}', 'host')",
            ]
        )
        return made + self._maybe(".as('v')", ".as('x')", ".usePointTimes()")

    def _writes(self) -> list[list[str]]:
        kinds = self._one([[FLOATS], [INTEGERS], [FLOATS, INTEGERS, TEXTS, BOOLEANS]])
        is_sane = self._random.random() < 0.4
        time, writes = self._one(MOMENTS), []
        for _ in range(self._random.randint(1, 4)):
            lines = []
            for _ in range(self._one([1, 3, 12, 60, 120])):
                moment = time + self._one([0, 1, SECOND, SECOND, 5 * SECOND])
                if is_sane:
                    time = min(moment, LATEST)
                elif self._random.random() < 0.5:
                    moment = self._one(MOMENTS)
                lines.append(self._line(kinds, max(EARLIEST, min(moment, LATEST))))
            writes.append(lines)
        return writes

    def _line(self, kinds: Sequence[Sequence[str]], moment: int) -> str:
        line = "m" if self._random.random() < 0.9 else "n"
        for tag, share in (("dc", 0.06), ("host", 0.5), ("s", 0.05), ("v", 0.05)):
            if self._random.random() < share:
                line += f",{tag}={self._one(['a', 'b', 'é', 'x=y'.replace('=', '')])}"
        names = self._random.sample(["v", "w", "s"], self._random.randint(1, 3))
        fields = ",".join(
            f"{name}={self._one(TEXTS if name == 's' else self._one(kinds))}"
            for name in names
        )
        return f"{line} {fields} {moment}"


class Outcome(NamedTuple):
    """Effects of a task.

    Attributes:
        error: the reason for its stop, or "".
        events: the events that it emitted.
        counts: points and errors of its nodes.
    """

    error: str
    events: list[Event]
    counts: dict[str, tuple[int, int]]


def run(script: str, writes: Sequence[Sequence[str]]) -> Outcome | None:
    """Feed a task; None where the script is refused."""
    topics, clock, available = RecordingTopics(), ManualClock(NOW), services()
    master = TaskMaster(
        lambda id, dbrps: Environment(
            id, clock=clock, dbrps=dbrps, services=available, topics=topics
        ),
        clock=clock,
        transaction=contextlib.nullcontext,
    )
    errors: list[str] = []
    master.stopped = lambda id, error: errors.append(error)
    try:
        master.start(
            "t",
            evaluate(parse(script), "stream", handlers=INTEGRATIONS.handler_properties),
            DBRPS,
        )
    except (TaskError, ScriptError):
        return None
    for lines in writes:
        master.take("\n".join(lines).encode(), "d", "r", "n")
        clock.advance(SECOND)
        master.tick()
    task = master.get("t")
    nodes = [] if task is None else task.nodes
    counts = {node.name: (node.collected, node.errors) for node in nodes}
    return Outcome("".join(errors), topics.events, counts)


def shown(event: Event) -> str:
    """An event without the order of its fields and tags, which may differ."""
    data = event.data
    rows = [
        (row.name, _sorted(row.tags), row.columns, row.values) for row in data.result
    ]
    known = _sorted(data.tags), _sorted(data.fields), rows
    return repr((event.state, event.previous_level, data.name, data.group, *known))


def _sorted(values: Mapping[str, object]) -> list[tuple[str, object]]:
    return sorted(values.items())


def fault(case: Case) -> str | None:
    """Problem of a case; None if there is none; "" if it is refused."""
    began = time.process_time()
    found = run(case.script, case.writes)
    if found is None:
        return ""
    took = time.process_time() - began
    if found.error:
        return found.error
    for event in found.events:
        check(event)
        json.loads(event_line(event))
    if took > CASE_LIMIT_S:
        return f"took {took:.1f} s"
    if case.is_ordered:
        alone = run(case.script, [[line] for lines in case.writes for line in lines])
        assert alone is not None
        if alone.error:
            return f"row by row: {alone.error}"
        if alone.counts != found.counts:
            return f"columns count {found.counts}, rows {alone.counts}"
        if [*map(shown, alone.events)] != [*map(shown, found.events)]:
            return "rows and columns tell different things"
    return None


def main() -> None:
    """Run the cases and print what is wrong."""
    logging.disable(logging.CRITICAL)
    first, count = int(sys.argv[1]), int(sys.argv[2])
    faults, refused = [], 0
    for number in range(first, first + count):
        case = Case(number)
        try:
            wrong = fault(case)
        # for any error, the report names the case
        except Exception as error:
            wrong = repr(error)
        refused += wrong == ""
        if wrong:
            faults.append({"case": number, "fault": wrong, "script": case.script})
    print(json.dumps({"faults": faults, "refused": refused}))


if __name__ == "__main__":
    main()
