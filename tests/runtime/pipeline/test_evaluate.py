"""Kapacitor tick/eval.go and pipeline/: meanings and errors of scripts."""

import pytest

from runtime.errors import ScriptError
from runtime.integrations.bundled import INTEGRATIONS
from runtime.pipeline.alert import (
    AlertNode,
    LogHandler,
    PostHandler,
)
from runtime.pipeline.evaluate import EvaluatedScript, dbrps, evaluate, task_type
from runtime.pipeline.node import DeadmanSettings
from runtime.pipeline.source import FromNode
from runtime.pipeline.transform import EvalNode, WhereNode, WindowNode
from runtime.services.foo.property import FooHandler
from runtime.services.hipchat.property import HipChatHandler
from runtime.tick import ast
from runtime.tick.format import expression_text
from runtime.tick.parser import parse
from runtime.tick.variables import Var
from runtime.units import SECOND, Duration

S = "stream|from().measurement('m')"


def run(script: str, edge: str = "stream", **options: object) -> EvaluatedScript:
    options.setdefault("handlers", INTEGRATIONS.handler_properties)
    return evaluate(parse(script), edge, **options)  # type: ignore[arg-type]


def error_of(script: str, edge: str = "stream", **options: object) -> str:
    with pytest.raises(ScriptError) as caught:
        run(script, edge, **options)
    return str(caught.value)


def names(script: EvaluatedScript) -> list[str]:
    return [node.name for node in script.pipeline.nodes]


def last(script: str, edge: str = "stream", **options: object) -> object:
    return run(script, edge, **options).pipeline.nodes[-1]


def alert_of(script: str) -> AlertNode:
    node = last(script)
    assert isinstance(node, AlertNode)
    return node


def predicate_of(script: str) -> str:
    node = last(script)
    assert isinstance(node, WhereNode)
    assert node.predicate is not None
    return expression_text(node.predicate.expression)


# Errors with a position


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (
            "stream|from().foo()",
            'line 1 char 15: no method or property "foo" on *pipeline.FromNode',
        ),
        (
            "stream|from().slack()",
            'line 1 char 15: no method or property "slack" on *pipeline.FromNode',
        ),
        (
            "stream|from()|alert().victorOps()",
            'line 1 char 23: no method or property "victorOps" on *pipeline.AlertNode; '
            "this server has no victorops handler. Generate it from a spec with "
            "`scaffold new-handler --spec victorops.toml`, and run kapacitord in the "
            "project that has it",
        ),
        (
            "stream|from()|alert().log('/a').mqtt('a')",
            'line 1 char 33: no method or property "mqtt" on *pipeline.LogHandler; '
            "this server has no mqtt handler. It does not speak HTTP and cannot be "
            "generated",
        ),
        (
            "stream.nope()",
            'line 1 char 8: no method or property "nope" on *pipeline.StreamNode',
        ),
        (
            "stream|from().alert()",
            'line 1 char 15: no property method "alert" on *pipeline.FromNode, but'
            " chaining method does exist. Use '|' operator instead:"
            " 'node|alert(..)'.",
        ),
        (
            "stream|from()|measurement('m')",
            'line 1 char 15: no chaining method "measurement" on *pipeline.FromNode,'
            " but property does exist. Use '.' operator instead:"
            " 'node.measurement(..)'.",
        ),
        (
            "stream|from()@alert()",
            'line 1 char 15: no dynamic method "alert" on *pipeline.FromNode, but'
            " chaining method does exist. Use '|' operator instead:"
            " 'node|alert(..)'.",
        ),
        (
            "stream|from()@measurement()",
            'line 1 char 15: no dynamic method "measurement" on *pipeline.FromNode,'
            " but property does exist. Use '.' operator instead:"
            " 'node.measurement(..)'.",
        ),
        (
            'stream\n|from()\n    .measurement("cpu")',
            "line 3 char 6: cannot assign *ast.ReferenceNode to type string, did you"
            " use double quotes instead of single quotes?",
        ),
        (
            "stream|from()|window().period(1)",
            'line 1 char 24: error calling func "period" on obj *pipeline.WindowNode:'
            " reflect.Set: value of type int64 is not assignable to type"
            " time.Duration",
        ),
        (
            "stream|from()|sum(1)",
            'line 1 char 15: error calling func "sum" on obj *pipeline.FromNode:'
            " reflect: Call using int64 as type string",
        ),
        (
            "stream|from()|alert().stateChangesOnly(3)",
            'line 1 char 23: error calling func "stateChangesOnly" on obj'
            " *pipeline.AlertNode: reflect: cannot use int64 as type time.Duration"
            " in Call",
        ),
        (
            "stream|from()|sum()",
            'line 1 char 15: error calling func "sum" on obj *pipeline.FromNode:'
            " reflect: Call with too few input arguments",
        ),
        (
            "stream|from()|window().align(TRUE)",
            'line 1 char 24: error calling func "align" on obj *pipeline.WindowNode:'
            " reflect: Call with too many input arguments",
        ),
        (
            "stream|from()|window().period()",
            "line 1 char 24: too many arguments to set property Period on"
            " *pipeline.WindowNode",
        ),
        (
            "stream|from()|window().period(1s, 2s)",
            "line 1 char 24: too many arguments to set property Period on"
            " *pipeline.WindowNode",
        ),
        (
            "stream|from()|window().foo",
            "line 1 char 23: object *pipeline.WindowNode has no property foo",
        ),
        (
            "stream|from()|window().align",
            "line 1 char 23: object *pipeline.WindowNode has no property align",
        ),
        ("var x = -'a'", "line 1 char 9: invalid arugument to '-' a"),
        (
            "var x = 1\nx|foo()",
            "line 2 char 3: cannot get properties of non pointer value",
        ),
        ("nosuch()", 'line 1 char 1: no global function "nosuch" defined'),
        (
            "stream|from()|window().period(5s).every(5s)|window()",
            'line 1 char 45: error calling func "window" on obj *pipeline.WindowNode:'
            " cannot Window batch edge",
        ),
        (
            "stream|from()|trickle()",
            'line 1 char 15: error calling func "trickle" on obj *pipeline.FromNode:'
            " cannot Trickle stream edge",
        ),
        (
            "stream|from()|groupBy('a', ['b'])",
            "invalid dimension object of type []interface {}",
        ),
        (
            "stream|from()|noop()",
            'line 1 char 15: no method or property "noop" on *pipeline.FromNode',
        ),
        (
            "stream|from()|influxDBOut()|log()",
            'line 1 char 29: no method or property "log" on'
            " *pipeline.InfluxDBOutNode",
        ),
        (
            "stream|window()",
            'line 1 char 8: no method or property "window" on *pipeline.StreamNode',
        ),
        (
            "stream|from()|sample('a')",
            'line 1 char 15: error calling func "sample" on obj *pipeline.FromNode:'
            " must pass int64 or duration to new sample node",
        ),
        (
            "stream|from()|percentile('v', 90)",
            'line 1 char 15: error calling func "percentile" on obj'
            " *pipeline.FromNode: reflect: Call using int64 as type float64",
        ),
        (
            "stream|from()|deadman(0, 10s)",
            'line 1 char 15: error calling func "deadman" on obj *pipeline.FromNode:'
            " reflect: Call using int64 as type float64",
        ),
        (
            "stream|from()|join(1)",
            'line 1 char 15: error calling func "join" on obj *pipeline.FromNode:'
            " reflect: cannot use int64 as type pipeline.Node in Call",
        ),
    ],
)
def test_errors_read_as_kapacitors(script: str, text: str) -> None:
    assert error_of(script) == text


# Errors without a position


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("var x = 1 var x = 2", "attempted to redefine x, vars are immutable"),
        ("var stream = 1", "attempted to redefine stream, vars are immutable"),
        ('var x = "a" + 1', 'name "a" is undefined. Names in scope: '),
        (
            'stream|from().where(lambda: "a" > tt)',
            'name "tt" is undefined. Names in scope: time,stream',
        ),
        ("batch|query('')", 'name "batch" is undefined. Names in scope: time,stream'),
        ("var x = true", 'name "true" is undefined. Names in scope: time,stream'),
        ("var x foo", 'invalid var type "foo"'),
        ("var x int", 'missing value for var "x".'),
        ("var x = 1h30m", "task does nothing"),
        ("x e3 'a' 1", "task does nothing"),
        (
            "var w = [a] stream|from()",
            'name "a" is undefined. Names in scope: time,stream',
        ),
        (
            "var s = stream|from().where(lambda: stream)",
            "unsupported literal type *pipeline.StreamNode",
        ),
    ],
)
def test_errors_without_position(script: str, text: str) -> None:
    assert error_of(script) == text


@pytest.mark.parametrize(
    ("chain", "text"),
    [
        ("|groupBy('')", "dimensions cannot not be the empty string"),
        (".groupBy(1)", "invalid dimension object of type int64"),
        (
            ".groupBy('a', *)",
            "cannot group by both '*' and named dimensions.",
        ),
        ("|groupBy('a').exclude('b')", "exclude requires '*'"),
        (
            "|window().period(1s).periodCount(1).everyCount(1)",
            "cannot specify both period and periodCount",
        ),
        (
            "|window().periodCount(1).everyCount(1).align()",
            "can only align windows based off time, not count",
        ),
        ("|window().periodCount(1)", "everyCount must be greater than zero"),
        (
            '|eval(lambda: "a")',
            "must specify same number of expressions and .as() names: got 0 as names,"
            " and 1 expressions.",
        ),
        (
            "|eval(lambda: \"a\").as('a').tags('b')",
            'invalid tag name "b", name is not present is .as() names',
        ),
        (
            "|default().field('a', 1s)",
            'unsupported type time.Duration for field "a", field default values must'
            " be float,int,string or bool",
        ),
        (
            "|barrier().idle(1s).period(1s)",
            "cannot specify both idle and period",
        ),
        ("|barrier()", "idle must be greater than zero"),
        (
            "|combine(lambda: TRUE, lambda: TRUE)",
            "a call to combine.as() is required to specify the output stream"
            " prefixes.",
        ),
        (
            f"|join({S})",
            "a call to join.as() is required to specify the output stream prefixes.",
        ),
        (
            f"|join({S}).as('a')",
            "number of prefixes specified by join.as() must match the number of"
            " joined streams",
        ),
        (
            f"|join({S}).as('a','a')",
            "cannot use the same prefix name see .as() property method",
        ),
        (
            f"|join({S}).as('a','x.y')",
            "cannot use name x.y as field prefix, it contains the delimiter " '"."\t',
        ),
        (
            f"|join({S}).as('x','')",
            "must provide a prefix name for the join node, see .as() property method",
        ),
        (
            f"|join({S}).as('','')",
            "must provide a prefix name for the join node, see .as() property method",
        ),
        (
            f"|join({S}).as('a','xéy').delimiter('é')",
            'cannot use name xéy as field prefix, it contains the delimiter "é"\t',
        ),
        (
            "|combine(lambda: TRUE, lambda: TRUE).as('a')",
            "number of prefixes specified by combine.as() must match the number of"
            " combine expressions",
        ),
        (
            "|combine(lambda: TRUE, lambda: TRUE).as('a','')",
            "must provide a prefix name for the combine node, see .as() property"
            " method",
        ),
        (
            "|combine(lambda: TRUE, lambda: TRUE).as('a','b.c')",
            "cannot use name b.c as field prefix, it contains the delimiter"
            " character .",
        ),
        (
            "|combine(lambda: TRUE, lambda: TRUE).as('a','b').delimiter('')",
            "cannot use name a as field prefix, it contains the delimiter character ",
        ),
        (
            "|k8sAutoscale()",
            "must specify exactly one of ResourceName or ResourceNameTag",
        ),
        (
            "|k8sAutoscale().resourceName('a').resourceNameTag('b')",
            "must specify exactly one of ResourceName or ResourceNameTag",
        ),
        (
            "|k8sAutoscale().resourceName('a').kind('pods')",
            "invalid Kind, must be 'deployments', 'replicasets' or"
            " 'replicationcontrollers', got pods",
        ),
        (
            "|k8sAutoscale().resourceName('a').min(0)",
            "min must be >= 1, got 0",
        ),
        (
            "|k8sAutoscale().resourceName('a')",
            "must provide a replicas lambda expression",
        ),
        (
            "|swarmAutoscale()",
            "must specify exactly one of ServiceName or ServiceNameTag",
        ),
        (
            "|ec2Autoscale()",
            "must specify exactly one of GroupName or GroupNameTag",
        ),
        ("|httpPost()", "must provide url or endpoint"),
        ("|httpPost('a','b')", "httpPost expects 0 or 1 arguments, got 2"),
        (
            "|httpPost('a').endpoint('b')",
            "only one endpoint and url may be specified",
        ),
        (
            "|httpPost('a').header('Authenticate','b')",
            "cannot set 'authenticate' header",
        ),
        ("|kapacitorLoopback()", "must specify a database"),
        (
            "|kapacitorLoopback().database('d')",
            "must specify a retention policy",
        ),
        (
            "|alert().post('u').header('authenticate','b')",
            "invalid post: cannot set 'authenticate' header",
        ),
    ],
)
def test_nodes_are_validated(chain: str, text: str) -> None:
    assert error_of(S + chain) == text


# Names


@pytest.mark.parametrize(
    "spelling", ["hipChat", "HipChat", "hipchat", "HIPCHAT", "hIPcHAT"]
)
def test_a_unique_name_fits_whatever_its_case(spelling: str) -> None:
    node = alert_of(f"{S}|alert().{spelling}().room('x')")
    assert node.handlers_of(HipChatHandler) == [HipChatHandler(node, room="x")]


@pytest.mark.parametrize("spelling", ["uRL", "URL", "url"])
def test_url_of_a_handler(spelling: str) -> None:
    [handler] = alert_of(f"{S}|alert().post().{spelling}('u')").handlers
    assert handler == PostHandler(handler.node, url="u")


@pytest.mark.parametrize("name", ["influxDBOut", "InfluxDBOut", "influxdbOut"])
def test_chain_names_fit_whatever_their_case(name: str) -> None:
    assert names(run(f"{S}|{name}()"))[-1] == "influxdb_out2"


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("groupBy('a')", "groupby"),
        ("httpOut('a')", "http_out"),
        ("httpPost('a')", "http_post"),
        (
            "kapacitorLoopback().database('d').retentionPolicy('r')",
            "kapacitor_loopback",
        ),
        ("stateDuration(lambda: TRUE)", "state_duration"),
        ("stateCount(lambda: TRUE)", "state_count"),
        ("count('f')", "count"),
        ("movingAverage('f', 3)", "movingAverage"),
        ("changeDetect('f')", "changeDetect"),
    ],
)
def test_nodes_are_named_by_kind_and_number(call: str, name: str) -> None:
    assert names(run(f"{S}|{call}"))[-1] == f"{name}2"


def test_chain_and_property_of_one_name() -> None:
    script = run(
        f"{S}.where(lambda: TRUE)|where(lambda: FALSE)|alert().log('/a')|log()"
    )
    assert names(script) == ["stream0", "from1", "where2", "alert3", "log4"]
    alert = script.pipeline.nodes[3]
    assert isinstance(alert, AlertNode)
    assert [h.file_path for h in alert.handlers_of(LogHandler)] == ["/a"]


def test_where_of_from_is_anded_and_group_by_replaces() -> None:
    node = last(
        S + ".where(lambda: TRUE).where(lambda: FALSE).groupBy('a').groupBy('b', 'c')"
    )
    assert isinstance(node, FromNode)
    assert len(node.where) == 2
    assert node.dimensions == ("b", "c")


# Alert handlers: what a chain goes on with


def test_case_1_hipchat_after_a_method_property() -> None:
    node = alert_of(f"{S}|alert().stateChangesOnly().hipchat()")
    assert node.state_changes_only
    assert len(node.handlers) == 1


def test_case_2_a_method_property_leaves_the_handler() -> None:
    assert error_of(f"{S}|alert().hipChat().stateChangesOnly().room('x')") == (
        'line 1 char 69: no method or property "room" on *pipeline.AlertNodeData'
    )


@pytest.mark.parametrize("call", ["all()", "noRecoveries()", "flapping(0.1, 0.5)"])
def test_other_method_properties_do_too(call: str) -> None:
    assert "*pipeline.AlertNodeData" in error_of(f"{S}|alert().foo().{call}.room('x')")


def test_a_value_property_stays_on_the_handler() -> None:
    node = alert_of(f"{S}|alert().hipChat().crit(lambda: TRUE).room('x').id('i')")
    assert (node.id, node.handlers) == ("i", [HipChatHandler(node, room="x")])


def test_a_second_handler_takes_over() -> None:
    node = alert_of(f"{S}|alert().hipChat().foo().room('a').foo().room('b')")
    rooms = [handler.room for handler in node.handlers_of(FooHandler)]
    assert rooms == ["a", "b"]
    assert node.handlers_of(HipChatHandler) == [HipChatHandler(node)]


@pytest.mark.parametrize(
    ("chain", "type_name"),
    [
        ("alert()", "AlertNode"),
        ("alert().id('x')", "AlertNode"),
        ("alert().all()", "AlertNodeData"),
        ("alert().hipChat()", "HipChatHandler"),
    ],
)
def test_errors_name_what_the_chain_stands_on(chain: str, type_name: str) -> None:
    assert error_of(f"{S}|{chain}.nope()").endswith(
        f'no method or property "nope" on *pipeline.{type_name}'
    )


def test_a_node_can_follow_a_handler() -> None:
    script = run(f"{S}|alert().hipChat().room('a')|log()")
    assert script.pipeline.nodes[-1].parents == [script.pipeline.nodes[-2]]


def test_every_node_can_be_quiet() -> None:
    node = alert_of(f"{S}|alert().quiet().foo().room('r')")
    assert node.quiet


# Case 3 and 4 of the tricky ones


def test_case_4_a_compound_duration() -> None:
    assert error_of("stream|from()|window().period(1h30m)") == (
        'parser: unexpected duration line 1 char 33 in ".period(1h30m)".'
        ' expected: ")"'
    )


# Variables


def test_variables_are_replaced_in_lambdas() -> None:
    script = 'var t = 10 var d = -5 var l = lambda: "a" > t stream|from()|where('
    assert predicate_of(script + 'lambda: "b" > d AND "c" == 1.5)') == (
        '"b" > -5 AND "c" == 1.5'
    )


def test_a_lambda_can_use_a_lambda_variable() -> None:
    node = last('var l = lambda: "a" > 1 stream|from()|where(lambda: l AND "b" > 1)')
    assert isinstance(node, WhereNode)
    assert node.predicate is not None
    expression = node.predicate.expression
    assert isinstance(expression, ast.BinaryNode)
    assert isinstance(expression.left, ast.LambdaNode)


def test_operators_outside_lambdas_are_computed() -> None:
    node = last(
        "var x = 2 var y = x * 3 stream|from()|window().period(1s * y)" ".every(-(-5s))"
    )
    assert isinstance(node, WindowNode)
    assert (node.period, node.every) == (6 * SECOND, 5 * SECOND)


def test_strings_can_be_added_as_an_argument() -> None:
    node = last("stream|from().measurement('a' + 'b')")
    assert isinstance(node, FromNode)
    assert node.measurement == "ab"


def test_a_list_as_only_argument_is_spread() -> None:
    node = last("var g = ['a', 'b'] stream|from().groupBy(g)")
    assert isinstance(node, FromNode)
    assert node.dimensions == ("a", "b")


def test_a_value_can_be_read_back() -> None:
    node = last(
        "var w = stream|from()|window().period(5s) "
        "stream|from()|window().period(w.period)"
    )
    assert isinstance(node, WindowNode)
    assert node.period == 5 * SECOND


def test_variables_with_their_defaults_and_descriptions() -> None:
    script = run(
        "// How much\n// is too much\nvar t = 5 var d = 10s var g = ['a', *] "
        "var n = stream|from()"
    )
    assert script.variables == {
        "t": Var("int", 5, "How much\nis too much"),
        "d": Var("duration", Duration(10 * SECOND)),
        "g": Var("list", (Var("string", "a"), Var("star", ast.StarNode()))),
    }


def test_a_supplied_value_replaces_the_default() -> None:
    script = 'var t = 5 stream|from()|where(lambda: "a" > t)'
    node = last(script, variables={"t": Var("int", 7)})
    assert isinstance(node, WhereNode)
    assert node.predicate is not None
    assert expression_text(node.predicate.expression) == '"a" > 7'


@pytest.mark.parametrize(
    "script", ["var x = 1 stream|from()", "var x int stream|from()"]
)
def test_a_supplied_value_must_be_of_the_type(script: str) -> None:
    assert error_of(script, variables={"x": Var("string", "a")}) == (
        "invalid type supplied for x, got string exp int"
    )


@pytest.mark.parametrize(
    ("type_name", "use"),
    [
        ("int", "|window().periodCount(x).everyCount(1)"),
        ("float", "|percentile('f', x)"),
        ("bool", "|default().field('a', x)"),
        ("string", ".measurement(x)"),
        ("duration", "|window().period(x)"),
        ("lambda", "|where(x)"),
        ("list", "|groupBy(x)"),
        ("star", "|groupBy(x)"),
        ("regex", '|where(lambda: "a" =~ x)'),
    ],
)
def test_a_template_is_run_with_zero_values(type_name: str, use: str) -> None:
    script = run(f"var x {type_name} stream|from(){use}", template=True)
    assert script.variables == {"x": Var(type_name)}


def test_supplied_lists_and_stars() -> None:
    node = last(
        "var x list stream|from().groupBy(x)",
        variables={"x": Var("list", (Var("string", "h"),))},
    )
    assert isinstance(node, FromNode)
    assert node.dimensions == ("h",)


# The type, databases and measurements of a script


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("stream|from()", "stream"),
        ("var x = stream|from() x|log()", "stream"),
        ("batch|query('')", "batch"),
        ("var s = stream s|from()", "stream"),
        ("var a = stream var b = a b|from()|log()", "stream"),
        ("var b = batch b|query('')", "batch"),
        ("var s = stream var b = batch s|from()", "invalid"),
        ("var s = stream batch|query('')", "invalid"),
        ("var s = 'stream' var x = s", "invalid"),
        ("stream", "invalid"),
        ("var x = 1", "invalid"),
        ("stream|from() batch|query('')", "invalid"),
    ],
)
def test_task_type(script: str, expected: str) -> None:
    assert task_type(parse(script)) == expected


def test_dbrps() -> None:
    script = 'dbrp "d"."r" dbrp "e"."s" stream|from()'
    assert dbrps(parse(script)) == (("d", "r"), ("e", "s"))
    assert run(script).dbrps == (("d", "r"), ("e", "s"))


def test_newlines_do_not_matter() -> None:
    script = run("var a = 1 var b = 2 stream|from()|log() stream|from()|log()")
    assert names(script) == ["stream0", "from1", "log2", "from3", "log4"]


def test_batch_scripts() -> None:
    script = run("batch|query('SELECT 1').every(1m).groupBy(time(10s), *)", "batch")
    assert names(script) == ["batch0", "query1"]


def test_eval_keep() -> None:
    [without, empty, named] = [
        last(f"{S}|eval(lambda: 1).as('a'){keep}")
        for keep in ("", ".keep()", ".keep('a', 'b')")
    ]
    assert isinstance(without, EvalNode)
    assert isinstance(empty, EvalNode)
    assert isinstance(named, EvalNode)
    assert (without.keep, empty.keep, named.keep) == (None, (), ("a", "b"))


# Deadman


def test_deadman_is_an_alert_on_statistics() -> None:
    script = run(f"{S}|deadman(0.5, 1m, lambda: hour(\"time\") > 8).id('x').foo()")
    assert names(script) == [
        "stream0",
        "from1",
        "stats2",
        "noop3",
        "derivative4",
        "alert5",
    ]
    alert = script.pipeline.nodes[-1]
    assert isinstance(alert, AlertNode)
    assert alert.crit is not None
    assert alert.id == "x"
    assert alert.message.endswith("points/1m0s.")


def test_deadman_names_its_node() -> None:
    alert = alert_of(f"{S}|deadman(0.0, 10s)")
    assert alert.id == "{{ .Group }}:from1 for task '{{ .TaskName }}'"


def test_a_global_deadman_watches_the_source() -> None:
    settings = DeadmanSettings(is_global=True)
    script = run(f"{S}|log()", deadman=settings)
    assert names(script)[3:] == ["stats3", "derivative4", "alert5"]
