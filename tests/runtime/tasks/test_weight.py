"""Tasks that may work long on few points are known by their scripts."""

from __future__ import annotations

import pytest

from runtime.integrations.bundled import INTEGRATIONS
from runtime.pipeline.evaluate import evaluate
from runtime.tasks.weight import is_heavy
from runtime.tick.parser import parse


def weight(nodes: str) -> bool:
    script = f"stream|from().measurement('m'){nodes}"
    handlers = INTEGRATIONS.handler_properties
    return is_heavy(evaluate(parse(script), "stream", handlers=handlers).pipeline)


@pytest.mark.parametrize(
    "nodes",
    [
        "|where(lambda: \"s\" == 'a' OR strLength(regexReplace(/a/, \"s\", 'b')) > 1)",
        "|eval(lambda: -1, lambda: strReplace(\"s\", 'a', 'b', -1)).as('x', 'y')",
        '.where(lambda: "s" =~ /(a?){1000}b/)|log()',
        '|alert().warnReset(lambda: !("s" =~ /[\\pL\\d]{9}/))',
        '|stateCount(lambda: if("s" !~ /x{999}/, TRUE, FALSE))',
        "|window().period(1m).every(1m)|combine(lambda: TRUE, lambda: TRUE).as('a', 'b')",
        "|alert().message('{{ range .Tags }}{{ range $.Tags }}{{ . }}{{ end }}{{ end }}')",
    ],
)
def test_scripts_that_make_much_of_a_point_are_heavy(nodes: str) -> None:
    assert weight(nodes)


@pytest.mark.parametrize(
    "nodes",
    [
        '|where(lambda: "s" =~ /^server0[0-5]$/ AND "v" > 3.0)',
        "|groupBy('h')|window().period(1m).every(1m)|mean('v')",
        "|eval(lambda: strToUpper(\"s\")).as('x')|derivative('v')",
        "|alert().crit(lambda: \"v\" > 1.0).message('{{ range .Tags }}{{ . }}{{ end }}')",
    ],
)
def test_other_scripts_are_not(nodes: str) -> None:
    assert not weight(nodes)
