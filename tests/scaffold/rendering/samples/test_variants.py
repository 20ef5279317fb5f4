"""Generated tests notice a broken service: every mutant of it changes what they record."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.alert.types import Level
from runtime.testing.events import changed_event, sample_event
from scaffold.rendering import render as rendering
from scaffold.rendering.render import importable, sample_of
from scaffold.rendering.samples.standins import Answer
from scaffold.rendering.samples.trial import Trial
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.parse import parse
from tests.draws import drawn

SPECS = sorted((Path(__file__).parents[2] / "specs").rglob("*.toml"))
# that the level is new, as no event of a test repeats one
SAME = {"event.previous_level != event.state.level := True"}


class Replaced(ast.NodeTransformer):
    """Replaces the condition with a number by another node."""

    def __init__(self, number: int, value: bool) -> None:
        self.number, self.value = number, value
        self.what = ""
        self._count = 0

    def _condition(self, node: ast.expr) -> ast.expr:
        self._count += 1
        if self._count - 1 != self.number:
            made: ast.expr = self.visit(node)
            return made
        self.what = f"{ast.unparse(node)} := {self.value}"
        return ast.Constant(self.value)

    def visit_If(self, node: ast.If) -> ast.If:
        node.test = self._condition(node.test)
        node.body = [self.visit(each) for each in node.body]
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.IfExp:
        node.test = self._condition(node.test)
        node.body, node.orelse = self.visit(node.body), self.visit(node.orelse)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.BoolOp:
        *deciding, last = node.values
        is_truth = isinstance(last, ast.Compare)
        made = [self._condition(each) for each in deciding]
        node.values = [*made, self._condition(last) if is_truth else self.visit(last)]
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        node.ifs = [self._condition(each) for each in node.ifs]
        return node


def mutants(text: str) -> Iterator[tuple[str, str]]:
    """A service with one condition of `request` or `accepts` fixed, by what is fixed."""
    for name in ("request", "accepts"):
        number, value = 0, False
        while True:
            tree, change = ast.parse(text), Replaced(number, value)
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef) and node.name == name:
                    node.body = [change.visit(each) for each in node.body]
            if not change.what:
                break
            yield change.what, ast.unparse(ast.fix_missing_locations(tree))
            number, value = number + value, not value
    if "\n    ok = " in text:
        before, _, after = text.partition("\n    ok = ")
        _, _, rest = after.partition("\n")
        yield "no ok", f"{before}\n    ok = (200, 201, 202, 203, 204)\n{rest}"


def recorded(spec: HandlerSpec, trial: Trial) -> list[Any]:
    """Everything that generated tests record of a service, but the texts of failures."""
    sample = sample_of(spec)
    service = trial.service(sample.config)

    def accepts(answer: Answer) -> bool:
        own = getattr(service, "accepts", None)
        return bool(own(answer)) if own else answer.status in service.ok

    tried = [
        (
            sample.config,
            sample.options,
            changed_event(sample_event(level), sample.changes),
        )
        for level in Level
    ]
    for variant in sample.variants:
        config, options, changes = variant.values
        tried.append((config, options, changed_event(sample_event(), changes)))
    answers = [Answer(sample.good_status, sample.accepted)]
    answers += [answer for answer, _ in sample.failures()]
    return [
        *(trial.outcome(*each).shown for each in tried),
        *map(accepts, answers),
    ]


@pytest.mark.parametrize("path", drawn(SPECS, 10), ids=lambda path: path.stem)
def test_every_broken_condition_changes_what_is_recorded(path: Path) -> None:
    spec = parse(path.read_text(), str(path))
    texts = rendering._tried(spec)
    known = importable(spec, "runtime")
    [*_, service] = texts
    usual = recorded(spec, Trial(spec, texts, known))
    assert usual[-len(sample_of(spec).failures()) - 1 :][0] is True
    survivors = set()
    for what, text in mutants(texts[service]):
        trial = Trial(spec, {**texts, service: text}, known)
        try:
            same = recorded(spec, trial) == usual
        except Exception:
            # a test that fails is what is wanted
            same = False
        if same:
            survivors.add(what)
    assert survivors <= SAME
