# ruff: noqa: N802 - jinja2 calls visitors by the names of its classes
"""The template line that each line of a generated text comes from.

A template is rendered once more with marks in front of every piece of text. The layout of
Python moves text between lines: those are aligned with the lines of the template's output by
their words.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from scaffold.layout.style import Style
from scaffold.rendering.overrides import Overrides
from scaffold.rendering.render import render, values
from scaffold.rendering.sandbox import Sandbox, counting
from scaffold.rendering.sandboxed import sandbox
from scaffold.spec.model.handler import HandlerSpec

_MARK = re.compile("\ue000(\\d+):(\\d+)\ue001")
_WORD = re.compile(r"\w+|[^\w\s]")
_ENOUGH = 0.5  # the share of a line's words that must match for its origin to be sure


class Origin(NamedTuple):
    """A line of a template.

    Attributes:
        template: its name; that of a part if the line comes from an included one.
        line: from 1.
        is_sure: false if it was found by likeness, and another one may be right.
    """

    template: str
    line: int
    is_sure: bool = True


def origins(
    template: str, spec: HandlerSpec, package: str, style: Style, overrides: Overrides
) -> list[Origin | None]:
    """The origin of each line of a generated text; None for a line without one.

    Raises:
        TemplateFailed: a template of the project does not work.
    """
    given = values(template, spec, package, style)
    marked, names = _marked(template, given, overrides)
    raw = list(_of_lines(marked, names))
    plain = _MARK.sub("", marked).split("\n")
    final = render(template, spec, package, style, overrides).split("\n")
    return raw if plain == final else _aligned(final, plain, raw)


def _marked(
    template: str, given: dict[str, object], overrides: Overrides
) -> tuple[str, list[str]]:
    """The output of a template with marks, and the templates that they number."""
    environment = sandbox(overrides, kind=_Tracing)
    assert isinstance(environment, _Tracing)
    environment.spent = 0
    return environment.get_template(template).render(**given), environment.names


class _Tracing(Sandbox):
    """An environment that marks the output of templates.

    Attributes:
        names: the templates, by the numbers in marks.
    """

    names: list[str]

    def _parse(
        self, source: str, name: str | None, filename: str | None
    ) -> nodes.Template:
        parsed = ImmutableSandboxedEnvironment._parse(self, source, name, filename)
        self.names = [*vars(self).get("names", ()), name or ""]
        _Marking(len(self.names) - 1).visit(parsed)
        return counting(parsed)

    def _guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter whose arguments have no marks."""
        guarded = super()._guarded(function)

        @functools.wraps(guarded)
        def unmarked(*args: Any, **kwargs: Any) -> Any:
            return guarded(*map(_plain, args), **kwargs)

        return unmarked


def _plain(value: Any) -> Any:
    return _MARK.sub("", value) if isinstance(value, str) else value


class _Marking(NodeTransformer):
    """Puts marks into the text of one template."""

    def __init__(self, number: int) -> None:
        self._number = number

    def visit_Output(self, node: nodes.Output) -> nodes.Output:
        marked: list[nodes.Expr] = []
        for child in node.nodes:
            if isinstance(child, nodes.TemplateData):
                for count, line in enumerate(child.data.split("\n")):
                    mark = self._mark(child.lineno + count)
                    text = ("\n" if count else "") + mark + line
                    marked.append(nodes.TemplateData(text, lineno=child.lineno))
            else:
                mark = self._mark(child.lineno)
                marked += [nodes.TemplateData(mark, lineno=child.lineno), child]
        node.nodes = marked
        return node

    def visit_FilterBlock(self, node: nodes.FilterBlock) -> list[nodes.Node]:
        mark = nodes.TemplateData(self._mark(node.lineno), lineno=node.lineno)
        return [nodes.Output([mark], lineno=node.lineno), node]

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:
        return node

    def _mark(self, line: int) -> str:
        return f"\ue000{self._number}:{line}\ue001"


def _of_lines(marked: str, names: Sequence[str]) -> Iterator[Origin | None]:
    """The origin of each line of a marked text: that of its first visible character."""
    now: Origin | None = None
    for line in marked.split("\n"):
        found: Origin | None = None
        start = 0
        for mark in _MARK.finditer(line):
            if found is None and line[start : mark.start()].strip():
                found = now
            now = Origin(names[int(mark[1])], int(mark[2]))
            start = mark.end()
        yield found or now


def _aligned(
    final: Sequence[str], raw: Sequence[str], known: Sequence[Origin | None]
) -> list[Origin | None]:
    """The origins of the lines of a reformatted text."""
    before, after = _words(raw), _words(final)
    matcher = difflib.SequenceMatcher(
        None, [word for word, _ in before], [word for word, _ in after], autojunk=False
    )
    sources: list[Counter[int]] = [Counter() for _ in final]
    for a, b, size in matcher.get_matching_blocks():
        for offset in range(size):
            sources[after[b + offset][1]][before[a + offset][1]] += 1
    counts = Counter(line for _, line in after)
    found: list[Origin | None] = []
    for number, source in enumerate(sources):
        [(line, _), *_] = source.most_common(1) or [(-1, 0)]
        origin = known[line] if line >= 0 else None
        is_sure = source.total() >= _ENOUGH * counts[number]
        found.append(origin and origin._replace(is_sure=is_sure))
    return found


def _words(lines: Sequence[str]) -> list[tuple[str, int]]:
    """The words of lines, each with the number of its line."""
    return [
        (word, number)
        for number, line in enumerate(lines)
        for word in _WORD.findall(line)
    ]
