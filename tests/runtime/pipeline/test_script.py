"""Pipelines written back: Kapacitor pipeline/tick."""

import pytest

from runtime.integrations.bundled import INTEGRATIONS
from runtime.pipeline.evaluate import evaluate
from runtime.pipeline.json import pipeline_data
from runtime.pipeline.node import Pipeline
from runtime.pipeline.script import script
from runtime.tick.format import format
from runtime.tick.parser import parse


def pipeline_of(source: str, edge: str = "stream") -> Pipeline:
    return evaluate(
        parse(source), edge, handlers=INTEGRATIONS.handler_properties
    ).pipeline


def test_a_chain_is_written_as_scripts_are() -> None:
    source = (
        "stream\n"
        "    |from()\n"
        "        .measurement('cpu')\n"
        '        .where(lambda: "a" > 1)\n'
        "    |alert()\n"
        '        .crit(lambda: "u" < 10)\n'
        "        .stateChangesOnly(1m)\n"
        "        .hipChat()\n"
        "        .room('it\\'s')\n"
        "        .foo()\n"
        "        .foo()\n"
        "        .room('b')\n"
    )
    assert script(pipeline_of(source)) == source


SCRIPTS = [
    "stream|from().groupBy('a', 'b').groupByMeasurement().truncate(1s)|log()",
    "stream|from().groupBy(*)|groupBy(*).exclude('a').byMeasurement()",
    "stream|from()|window().period(10s).every(5s).align().fillPeriod()|mean('v').as('m')",
    "stream|from()|eval(lambda: \"a\" + 1, lambda: 'x').as('b', 'c').tags('c').keep()",
    "stream|from()|eval(lambda: 1).as('b').keep('a', 'b').quiet()",
    "stream|from()|default().field('a', 1.0).field('b', TRUE).tag('t', 'u')",
    "stream|from()|delete().field('a').field('b').tag('t')",
    "stream|from()|derivative('v').unit(1m).nonNegative()|stateDuration(lambda: TRUE)",
    "stream|from()|stateCount(lambda: TRUE).as('n')|changeDetect('a', 'b')",
    "stream|from()|barrier().idle(1s).delete(TRUE)|shift(-5m)|sample(3)|sample(10s)",
    "stream|from()|flatten().on('a', 'b').dropOriginalFieldName()",
    "stream|from()|combine(lambda: TRUE, lambda: TRUE).as('a', 'b').max(3)",
    "var a = stream|from() var b = stream|from() a|join(b).as('a', 'b').fill(0.0)|log()",
    "var a = stream|from() a|join(a).as('a', 'b').on('h').deleteAll(TRUE)",
    "var a = stream|from() stream|from()|union(a).rename('u')",
    "stream|from()|window().period(1s)|top(3, 'v', 'h')|percentile('top', 90.0)",
    "stream|from()|elapsed('v', 1s)|movingAverage('elapsed', 3)",
    "stream|from()|httpOut('x')|httpPost('u').header('a', 'b').codeField('c')",
    "stream|from()|kapacitorLoopback().database('d').retentionPolicy('r').tag('a', 'b')",
    "stream|from()|influxDBOut().database('d').create()",
    "stream|from()|deadman(1.5, 10s, lambda: TRUE).foo()",
    "var f = stream|from() f|log() f|deadman(1.0, 10s) f|stats(1m).align()|log()",
    "stream|from()|alert().all().noRecoveries().flapping(0.1, 0.2).history(5)"
    ".inhibit('c', 'h').topic('t').levelTag('l').post('u').header('a', 'b').timeout(1s)"
    ".tcp('a:1').exec('ls', '-l').log('/a').mode(0644).foo().hipChat().token('t')",
    "stream|from()@udf('a').option(1, [*]).other()|k8sAutoscale().kind('replicasets').resourceName('a').replicas(lambda: 1).max(3)",
    'stream|from().where(lambda: "a" =~ /x\\/y/ AND -"b" > 1.5 OR !("c" == \'d\'))',
    r"stream|from().measurement('''back\''')",
    'var l = lambda: "a" OR "b" stream|from()|where(lambda: l AND "c")',
]


@pytest.mark.parametrize("source", SCRIPTS)
def test_what_is_written_makes_the_same_pipeline(source: str) -> None:
    pipeline = pipeline_of(source)
    written = script(pipeline)
    assert _shape(pipeline_of(written)) == _shape(pipeline)
    assert script(pipeline_of(written)) == written
    assert format(parse(written)) == written


def test_queries_are_written() -> None:
    source = (
        "batch|query('SELECT x').period(1m).every(30s).align()"
        ".groupBy(time(10s, -1s), 'h').fill('null')|log()"
    )
    pipeline = pipeline_of(source, "batch")
    written = script(pipeline)
    assert _shape(pipeline_of(written, "batch")) == _shape(pipeline)


def _shape(pipeline: Pipeline) -> list[object]:
    """The nodes, whatever their numbers."""
    nodes = pipeline_data(pipeline)["nodes"]
    assert isinstance(nodes, list)
    bare = [{**node, "id": "", "source": ""} for node in nodes]
    return sorted(bare, key=repr)
