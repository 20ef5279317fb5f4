"""Tasks over HTTP. Source of the texts: Kapacitor services/task_store."""

import asyncio
import re
import threading
from typing import Any

import pytest

from runtime.frames import Point
from runtime.nodes.defaults import DeleteNode
from runtime.nodes.node import Node

SCRIPT = "stream|from().measurement('cpu')"
DBRPS = [{"db": "d", "rp": "r"}]
TASK = """\
{
    "link": {
        "rel": "self",
        "href": "/kapacitor/v1/tasks/x"
    },
    "id": "x",
    "template-id": "",
    "type": "stream",
    "dbrps": [
        {
            "db": "d",
            "rp": "r"
        }
    ],
    "script": "stream\\n    |from()\\n        .measurement('cpu')\\n",
    "vars": {},
    "dot": "digraph x {\\nstream0 -\\u003e from1;\\n}",
    "status": "disabled",
    "executing": false,
    "error": "",
    "stats": {},
    "created": "TIME",
    "modified": "TIME",
    "last-enabled": "0001-01-01T00:00:00Z"
}"""
OPERAND = '"number","string","duration","identifier","TRUE","FALSE","==","(","-","!"'


def define(api: Any, id: str = "x", script: str = SCRIPT, **more: Any) -> Any:
    body = {"id": id, "dbrps": DBRPS, "script": script} | more
    return api.json("POST", "/tasks", body)


def write(api: Any, lines: str, query: str = "db=d&rp=r") -> None:
    assert api.ask("POST", f"/write?{query}", lines) == (204, "")


def test_a_task_is_shown_whole(api: Any) -> None:
    body = {"id": "x", "type": "batch", "script": SCRIPT, "dbrps": DBRPS}
    status, text = api.ask("POST", "/tasks", body)
    shown = re.sub(r'"20\d\d-[^"]*Z"', '"TIME"', text)
    assert (status, shown) == (200, TASK)
    assert api.ask("GET", "/tasks/x") == (200, text)


def test_a_task_without_id_gets_one(api: Any) -> None:
    body = {"script": SCRIPT, "dbrps": DBRPS}
    id = api.json("POST", "/tasks", body)["id"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", id)


def test_a_script_can_be_had_as_it_was_sent(api: Any) -> None:
    define(api)
    assert api.json("GET", "/tasks/x?script-format=raw")["script"] == SCRIPT


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{", "invalid JSON"),
        ('{"type":"x"}', "invalid JSON"),
        ('{"status":"on"}', "invalid JSON"),
        ('{"vars":{"a":{"type":"x","value":1}}}', "invalid JSON"),
        ('{"id":5}', "invalid JSON"),
        (
            {"id": "a b"},
            "task ID must contain only letters, numbers, '-', '.' and '_'. \"a b\"",
        ),
        ({"id": "x"}, "must provide TICKscript"),
        (
            {"script": "bogus("},
            'invalid TICKscript: parser: unexpected EOF line 1 char 7 in "bogus(". '
            f"expected: {OPERAND}",
        ),
        ({"script": "stream"}, "invalid task type: invalid"),
        ({"script": "var x = 5"}, "invalid task type: invalid"),
        ({"script": SCRIPT}, "must specify dbrp"),
        (
            {"script": f'dbrp "d"."r"\n{SCRIPT}', "dbrps": DBRPS},
            "cannot specify dbrp in both implicitly and explicitly",
        ),
        (
            {"script": "stream|nope()", "dbrps": DBRPS},
            'invalid TICKscript: line 1 char 8: no method or property "nope" on '
            "*pipeline.StreamNode",
        ),
        ({"template-id": "nope"}, "unknown template nope: err: no template exists"),
        (
            {
                "script": f"var a = TRUE\n{SCRIPT}",
                "dbrps": DBRPS,
                "vars": {"a": {"type": "bool", "value": "x"}},
            },
            "invalid var a: unexpected var type bool, value is a string",
        ),
    ],
)
def test_refused_definitions(api: Any, body: object, text: str) -> None:
    assert api.ask("POST", "/tasks", body) == (400, text)
    assert api.json("GET", "/tasks") == {"tasks": []}


def test_ids_may_have_letters_of_any_script_but_ascii_digits(api: Any) -> None:
    assert define(api, "größe-1._")["id"] == "größe-1._"
    status, text = api.ask("POST", "/tasks", {"id": "a٣", "script": SCRIPT})
    assert (status, text.startswith("task ID must contain")) == (400, True)


def test_an_id_is_taken_once(api: Any) -> None:
    define(api)
    body = {"id": "x", "script": SCRIPT, "dbrps": DBRPS}
    assert api.ask("POST", "/tasks", body) == (400, "task x already exists")


def test_what_a_script_reads_may_stand_in_it(api: Any) -> None:
    body = {"id": "x", "script": f'dbrp "a"."b"\n{SCRIPT}'}
    assert api.json("POST", "/tasks", body)["dbrps"] == [{"db": "a", "rp": "b"}]
    expected = (400, "cannot specify dbrp in implicitly and explicitly")
    assert api.ask("PATCH", "/tasks/x", {"dbrps": DBRPS}) == expected


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE", "POST"])
def test_the_id_must_be_in_the_path(api: Any, method: str) -> None:
    expected = (400, "must specify task id on path")
    assert api.ask(method, "/tasks/", "{}") == expected
    expected = (400, "must specify template id on path")
    assert api.ask(method, "/templates/", "{}") == expected


def test_unknown_tasks(api: Any) -> None:
    assert api.ask("GET", "/tasks/x") == (404, "no task exists")
    expected = (404, "task does not exist, cannot update")
    assert api.ask("PATCH", "/tasks/x", {}) == expected
    assert api.ask("PATCH", "/tasks/x", "{") == (400, "invalid JSON")
    assert api.ask("DELETE", "/tasks/x") == (204, "")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("script-format=z", 'invalid script-format parameter "z"'),
        ("dot-view=z", 'invalid dot-view parameter "z"'),
        ("fields=z", 'unsupported field "z"'),
        (
            "offset=a",
            'invalid offset parameter "a" must be an integer: strconv.ParseInt: '
            'parsing "a": invalid syntax',
        ),
        (
            "limit=a",
            'invalid limit parameter "a" must be an integer: strconv.ParseInt: '
            'parsing "a": invalid syntax',
        ),
    ],
)
def test_refused_queries(api: Any, query: str, text: str) -> None:
    assert api.ask("GET", f"/tasks?{query}") == (400, text)


def test_a_replay_that_does_not_run(api: Any) -> None:
    define(api)
    expected = (400, "no running replay with ID: bogus")
    assert api.ask("GET", "/tasks/x?replay-id=bogus") == expected


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["a1", "a2", "b1"]),
        ("pattern=a*", ["a1", "a2"]),
        ("pattern=[", []),
        ("offset=1&limit=1", ["a2"]),
        ("offset=5", []),
        ("pattern=b*&limit=-1", ["a1", "a2", "b1"]),
    ],
)
def test_listing(api: Any, query: str, ids: list[str]) -> None:
    for id in ("b1", "a2", "a1"):
        define(api, id)
    tasks = api.json("GET", f"/tasks?{query}")["tasks"]
    assert [task["id"] for task in tasks] == ids


def test_a_list_shows_the_fields_asked_for(api: Any) -> None:
    define(api)
    [task] = api.json("GET", "/tasks?fields=status&fields=stats&fields=template-id")[
        "tasks"
    ]
    assert task == {
        "id": "x",
        "link": {"href": "/kapacitor/v1/tasks/x", "rel": "self"},
        "stats": None,
        "status": "disabled",
    }
    [task] = api.json("GET", "/tasks")["tasks"]
    assert list(task) == sorted(task)


def test_a_running_task_shows_what_goes_on(api: Any) -> None:
    task = define(api, status="enabled")
    assert (task["status"], task["executing"], task["error"]) == ("enabled", True, "")
    write(api, "cpu v=1\ncpu v=2\nmem v=1")
    task = api.json("GET", "/tasks/x")
    stats = task["stats"]["node-stats"]["from1"]
    assert task["stats"]["task-stats"] == {"throughput": 0}
    assert list(stats) == [
        *("avg_exec_time_ns", "collected", "emitted", "errors", "working_cardinality")
    ]
    assert (stats["collected"], stats["emitted"]) == (2, 0)
    assert task["last-enabled"] != "0001-01-01T00:00:00Z"


def test_nodes_and_their_counters_are_sorted_as_go_sorts_maps(api: Any) -> None:
    define(api, script="stream|from()|alert().topic('t')", status="enabled")
    nodes = api.json("GET", "/tasks/x")["stats"]["node-stats"]
    assert list(nodes) == ["alert2", "from1", "stream0"]
    assert list(nodes["alert2"]) == sorted(nodes["alert2"])


def test_the_graph_of_a_running_task(api: Any) -> None:
    define(api, status="enabled")
    head = 'digraph x {\ngraph [throughput="0.00 points/s"];\n\n'
    counters = '[avg_exec_time_ns="0s" errors="0" working_cardinality="0" ];\n'
    expected = (
        f"{head}stream0 {counters}"
        'stream0 -> from1 [processed="0"];\n\n'
        f"from1 {counters}}}"
    )
    assert api.json("GET", "/tasks/x")["dot"] == expected
    counters = '[xlabel="avg_exec_time_ns=0s\\rerrors=0\\rworking_cardinality=0"];\n'
    expected = (
        'digraph x {\ngraph [label="Throughput: 0.00 points/s" forcelabels=true '
        f'pad="0.8,0.5"];\n\nstream0 {counters}'
        'stream0 -> from1 [label="processed=0"];\n\n'
        f"from1 {counters}}}"
    )
    assert api.json("GET", "/tasks/x?dot-view=labels")["dot"] == expected


def test_switching_on_and_off(api: Any) -> None:
    define(api)
    task = api.json("PATCH", "/tasks/x", {"status": "enabled"})
    assert (task["status"], task["executing"]) == ("enabled", True)
    again = api.json("PATCH", "/tasks/x", {"status": "enabled"})
    assert again["last-enabled"] == task["last-enabled"]
    task = api.json("PATCH", "/tasks/x", {"status": "disabled"})
    assert (task["status"], task["executing"]) == ("disabled", False)


def test_a_change_leaves_the_rest(api: Any) -> None:
    define(api)
    task = api.json("PATCH", "/tasks/x", {"script": "stream|from().measurement('m')"})
    assert "'m'" in task["script"]
    assert task["dbrps"] == DBRPS
    dbrps = [{"db": "e", "rp": ""}]
    assert api.json("PATCH", "/tasks/x", {"dbrps": dbrps})["dbrps"] == dbrps


def test_a_renamed_task_runs_under_its_new_name(api: Any) -> None:
    define(api, status="enabled")
    task = api.json("PATCH", "/tasks/x", {"id": "y"})
    assert (task["id"], task["executing"]) == ("y", True)
    assert api.ask("GET", "/tasks/x") == (404, "no task exists")
    define(api, "z")
    assert api.ask("PATCH", "/tasks/y", {"id": "z"}) == (
        500,
        "failed to create new task during ID change: object already exists",
    )


def test_a_deleted_task_is_gone(api: Any) -> None:
    define(api, status="enabled")
    assert api.ask("DELETE", "/tasks/x") == (204, "")
    assert api.ask("GET", "/tasks/x") == (404, "no task exists")
    api.restart()
    assert api.json("GET", "/tasks") == {"tasks": []}


def test_a_task_runs_again_after_a_restart(api: Any) -> None:
    define(api, status="enabled")
    define(api, "off")
    before = api.json("GET", "/tasks/off")
    api.restart()
    assert api.json("GET", "/tasks/x")["executing"] is True
    assert api.json("GET", "/tasks/off") == before


def test_variables_are_kept_as_given(api: Any) -> None:
    script = (
        "var w = 5m\nvar n = 1\nvar l = lambda: \"a\" > 1\nvar g = ['a']\n" + SCRIPT
    )
    variables = {
        "w": {"type": "duration", "value": "1h"},
        "n": {"type": "int", "value": 7},
        "l": {"type": "lambda", "value": '"b" > 2'},
        "g": {"type": "list", "value": [{"type": "string", "value": "h"}]},
    }
    define(api, script=script, vars=variables)
    api.restart()
    assert api.json("GET", "/tasks/x")["vars"] == {
        "g": {
            "type": "list",
            "value": [{"type": "string", "value": "h"}],
            "description": "",
        },
        "l": {"type": "lambda", "value": '"b" > 2', "description": ""},
        "n": {"type": "int", "value": 7, "description": ""},
        "w": {"type": "duration", "value": 3600000000000, "description": ""},
    }


def test_a_task_that_cannot_start_is_there_with_its_error(api: Any) -> None:
    script = "stream|from()|alert().crit(lambda: TRUE).log('rel')"
    error = "failed to create log alert handler: log path must be absolute: rel is not absolute"
    body = {"id": "x", "script": script, "dbrps": DBRPS, "status": "enabled"}
    assert api.ask("POST", "/tasks", body) == (500, error)
    api.restart()
    task = api.json("GET", "/tasks/x")
    assert (task["status"], task["executing"], task["error"]) == (
        *("enabled", False),
        error,
    )


def test_a_task_that_fails_stops_alone(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Node, point: Point) -> None:
        self.fail("a reason")

    monkeypatch.setattr(DeleteNode, "point", fail)
    script = "stream|from().measurement('cpu')|delete().field('x')|log()"
    define(api, "good", status="enabled")
    define(api, "bad", script, status="enabled")
    write(api, "cpu v=5")
    write(api, "cpu v=5")
    stats = api.json("GET", "/tasks/good")["stats"]["node-stats"]
    assert stats["from1"]["collected"] == 2
    task = api.json("GET", "/tasks/bad")
    assert (task["status"], task["executing"]) == ("enabled", False)
    assert task["error"] == "delete2: a reason"


def test_points_go_to_the_tasks_that_read_their_database(api: Any) -> None:
    define(api, "here", status="enabled")
    define(api, "there", dbrps=[{"db": "e", "rp": "r"}], status="enabled")
    write(api, "cpu v=1")
    write(api, "cpu v=1", "db=d")
    for id, count in (("here", 1), ("there", 0)):
        stats = api.json("GET", f"/tasks/{id}")["stats"]["node-stats"]
        assert stats["from1"]["collected"] == count


def test_a_page_shows_the_latest_rows(api: Any) -> None:
    define(api, script=SCRIPT + "|httpOut('out')", status="enabled")
    assert api.ask("GET", "/tasks/x/out") == (200, '{"series":null}')
    write(api, "cpu,host=a v=1 1000000000")
    row = api.json("GET", "/tasks/x/out")["series"][0]
    assert (row["name"], row["values"]) == ("cpu", [["1970-01-01T00:00:01Z", 1]])
    assert api.ask("GET", "/tasks/x/nope") == (404, "Not Found")


def test_a_page_is_compact_json_as_go_writes_it(api: Any) -> None:
    define(api, script="stream|from()|groupBy('h')|httpOut('out')", status="enabled")
    write(api, 'cpu,z=q,h=<a>&b v=1,s="é<>&\u2028",b=t,a=1e21,i=5i 1000000000')
    write(api, "cpu v=0.000001 2000000000")
    assert api.ask("GET", "/tasks/x/out") == (
        200,
        '{"series":[{"name":"cpu","tags":{"h":"\\u003ca\\u003e\\u0026b","z":"q"},'
        '"columns":["time","a","b","i","s","v"],"values":[["1970-01-01T00:00:01Z",'
        '1e+21,true,5,"é\\u003c\\u003e\\u0026\\u2028",1]]},'
        '{"name":"cpu","columns":["time","v"],"values":[["1970-01-01T00:00:02Z",0.000001]]}]}',
    )


@pytest.mark.parametrize("quotient", ["0.0 / 0.0", "1.0 / 0.0", "-1.0 / 0.0"])
def test_a_page_shows_null_for_what_json_lacks(api: Any, quotient: str) -> None:
    top, bottom = quotient.split(" / ")
    script = "stream|from()|eval(lambda: \"a\" / \"b\").as('q')|httpOut('out')"
    define(api, script=script, status="enabled")
    write(api, f"cpu a={top},b={bottom} 1000000000")
    row = api.json("GET", "/tasks/x/out")["series"][0]
    assert row["values"] == [["1970-01-01T00:00:01Z", None]]


def test_writing(api: Any) -> None:
    for body, query, status, text in (
        ("cpu v=5", "rp=r", 400, "database is required\n"),
        ("cpu v=5", "db=d;rp=r", 400, "database is required\n"),
        ("", "db=d", 204, ""),
        ("# nothing", "db=d", 204, ""),
        ("cpu bad", "", 400, "unable to parse 'cpu bad': invalid field format\n"),
    ):
        answer = api.answer("POST", f"/write?{query}", body)
        assert (answer.status, answer.body.decode()) == (status, text)
        assert answer.content_type == "application/json; charset=utf-8"


def test_a_write_without_policy_gets_the_default(config: Any, start_api: Any) -> None:
    config.default_retention_policy = "r"
    api = start_api(config)
    define(api, status="enabled")
    write(api, "cpu v=1", "db=d")
    stats = api.json("GET", "/tasks/x")["stats"]["node-stats"]
    assert stats["from1"]["collected"] == 1


def test_the_server_tells_about_itself(api: Any) -> None:
    define(api, status="enabled")
    variables = api.json("GET", "/debug/vars")
    assert (variables["num_tasks"], variables["num_enabled_tasks"]) == (1, 1)
    assert variables["product"] == "kapacitor"


SAYS = 'dbrp "d"."r"\nstream|from()'


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"script": "stream|nope()"}, "invalid TICKscript: line 1 char 8: no method"),
        ({"script": "stream|("}, "invalid TICKscript: parser: unexpected"),
        ({"script": "stream|from()"}, "must specify dbrp"),
        (
            {"script": SAYS + "|nope()", "dbrps": [{"db": "d", "rp": "r"}]},
            "invalid TICKscript: line 2 char 15: no method",
        ),
        (
            {"script": SAYS, "dbrps": [{"db": "d", "rp": "r"}]},
            "cannot specify dbrp in both implicitly and explicitly",
        ),
    ],
)
def test_the_script_of_a_new_task_is_looked_at_first(api, body, text):
    status, found = api.ask("POST", "/tasks", {"id": "x", **body})
    assert (status, found[: len(text)]) == (400, text)
    assert api.ask("GET", "/tasks/x")[0] == 404


def test_what_a_script_says_it_reads_goes_with_it(api):
    api.json("POST", "/tasks", {"id": "x", "script": SAYS})
    script = {"script": "stream|from()|log()"}
    assert api.ask("PATCH", "/tasks/x", script) == (400, "must specify dbrp")
    assert api.json("GET", "/tasks/x")["script"].startswith("dbrp")
    made = api.json("PATCH", "/tasks/x", script | {"dbrps": [{"db": "e", "rp": "f"}]})
    assert made["dbrps"] == [{"db": "e", "rp": "f"}]
    made = api.json("PATCH", "/tasks/x", {"script": "stream|from()|sample(2)"})
    assert made["dbrps"] == [{"db": "e", "rp": "f"}]


def test_tasks_and_templates_are_listed_while_the_compute_thread_works(api):
    script = "stream|from()|window().period(1m).every(1m)|mean('v')|alert().topic('t')"
    body = {"id": "a", "dbrps": [{"db": "d", "rp": "r"}], "script": script}
    api.json("POST", "/tasks", body | {"status": "enabled"})
    api.json("POST", "/templates", {"id": "b", "type": "stream", "script": script})
    done = threading.Event()

    async def work() -> asyncio.Future[bool]:
        return api.server._compute.run(done.wait, 30)

    working = api.run(work())
    try:
        assert [each["id"] for each in api.json("GET", "/tasks")["tasks"]] == ["a"]
        listed = api.json("GET", "/templates")["templates"]
        assert [each["id"] for each in listed] == ["b"]
        assert not working.done()
    finally:
        done.set()

    async def end() -> bool:
        return await working

    assert api.run(end())
