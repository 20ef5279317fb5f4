"""`httpPost` nodes, and the order of their rows on the event loop."""

import asyncio
import json
import logging
from typing import Any

import pytest

from runtime.errors import ScriptError, TaskError
from runtime.frames import Point
from runtime.integration import HandlerServices
from runtime.nodes import http_post
from runtime.nodes.environment import Environment
from runtime.nodes.node import Barrier
from runtime.nodes.post_queue import PostQueues
from runtime.outbound.client import AiohttpClient
from runtime.pipeline.evaluate import evaluate
from runtime.services.httppost.config import Config
from runtime.services.httppost.service import Service
from runtime.tasks.task import ExecutingTask
from runtime.testing.frames import (
    Collector,
    batch_of,
    batches_of,
    frame_of,
    points,
    seconds,
)
from runtime.testing.loopback import Answer
from runtime.tick.parser import parse


class Run:
    """A task with an `httpPost` node on an event loop.

    Attributes:
        node: the node.
        collector: the node's output.
        posts: the queues; not started.
    """

    def __init__(self, call: str, *configs: Config) -> None:
        self.posts = PostQueues()
        self._client = AiohttpClient()
        self.service = Service(configs, self._client)
        environment = Environment(
            "t",
            services=HandlerServices(services={"httppost": self.service}),
            posts=self.posts,
        )
        script = evaluate(parse(f"stream|from()|{call}"), "stream")
        self.task = ExecutingTask("t", script, environment)
        self.node: Any = self.task.nodes[2]
        self.collector = Collector()
        self.node.link(self.collector)

    def finish(self, limit_s: float = 5.0) -> int:
        """Post what waits; how much is left."""

        async def run(resume: Any, step: Any) -> None:
            resume(step)

        async def finish() -> int:
            self.posts.start(run)
            try:
                return await self.posts.close(limit_s)
            finally:
                await self._client.close()

        return asyncio.run(finish())

    @property
    def fields(self) -> list[dict[str, object]]:
        return [dict(point.fields) for point in self.collector.points]


def two() -> list[Point]:
    return points("m,h=a v=1,w=2i 1\nm,h=b v=2 2")


ROWS = [
    '{"series":[{"name":"m","tags":{"h":"a"},"columns":["time","v","w"],'
    '"values":[["1970-01-01T00:00:01Z",1,2]]}]}\n',
    '{"series":[{"name":"m","tags":{"h":"b"},"columns":["time","v"],'
    '"values":[["1970-01-01T00:00:02Z",2]]}]}\n',
]


@pytest.mark.parametrize("columns", [False, True])
def test_points_pass_at_once_and_are_posted_in_order(server, columns):
    run = Run(f"httpPost('{server.url}/x').header('X-A', '1')")
    if columns:
        run.node.frame(frame_of(two()))
    else:
        for point in two():
            run.node.point(point)
    assert run.fields == [{"v": 1.0, "w": 2}, {"v": 2.0}]
    assert run.finish() == 0
    requests = [server.next(), server.next()]
    assert [request.text for request in requests] == ROWS
    assert {(r.method, r.path) for r in requests} == {("POST", "/x")}
    assert requests[0].headers["Content-Type"] == "application/json"
    assert requests[0].headers["X-A"] == "1"


@pytest.mark.parametrize("columns", [False, True])
def test_a_batch_is_one_row(server, columns):
    run = Run(f"window().period(1s)|httpPost('{server.url}')")
    [node] = [n for n in run.task.nodes if n.name == "http_post3"]
    batch = batch_of(points("m,h=a v=1 1\nm,h=a v=2 2"), seconds(9))
    if columns:
        node.batches(batches_of([batch]))
    else:
        node.batch(batch)
    run.finish()
    assert server.next().json["series"] == [
        {
            "name": "m",
            "columns": ["time", "h", "v"],
            "values": [
                ["1970-01-01T00:00:01Z", "a", 1],
                ["1970-01-01T00:00:02Z", "a", 2],
            ],
        }
    ]


def test_with_a_code_field_points_go_on_with_their_status(server):
    server.answers.extend([Answer(200), Answer(404)])
    run = Run(f"httpPost('{server.url}').codeField('code')")
    run.node.frame(frame_of(two()))
    assert run.fields == []
    run.finish()
    assert run.fields == [{"v": 1.0, "w": 2, "code": 200}, {"v": 2.0, "code": 404}]


def test_each_point_of_a_batch_gets_the_status(server):
    run = Run(f"httpPost('{server.url}').codeField('code')")
    run.node.batch(batch_of(points("m v=1 1\nm v=2 2"), seconds(9)))
    run.finish()
    [batch] = run.collector.got
    assert [point.fields["code"] for point in batch.points] == [200, 200]
    assert batch.tmax == seconds(9)


def test_without_a_connection_the_code_is_0(server, caplog):
    url = server.url
    server.refuse()
    run = Run(f"httpPost('{url}').codeField('code')")
    run.node.point(two()[1])
    run.finish()
    assert run.fields == [{"v": 2.0, "code": 0}]
    [record] = caplog.records
    assert record.getMessage() == "failed to POST data"
    assert record.err.startswith(f'Post "{url}": dial tcp 127.0.0.1:')


@pytest.mark.parametrize(
    ("capture", "err"),
    [
        ("", "unknown error, use .captureResponse() to capture the HTTP response"),
        (".captureResponse()", "*** is down"),
    ],
)
def test_a_refusal_is_logged_and_the_data_still_passes(server, caplog, capture, err):
    server.status, server.body = 500, "hunter22 is down"
    run = Run(f"httpPost('{server.url}').header('X-Key', 'hunter22'){capture}")
    run.node.point(two()[0])
    assert len(run.fields) == 1
    run.finish()
    [record] = caplog.records
    assert record.getMessage() == "POST returned non 2xx status code"
    assert (record.code, record.err) == (500, err)
    assert (record.task, record.node) == ("t", "http_post2")
    assert run.node.stats()["errors"] == 1


def test_a_slow_endpoint_is_given_up(server, caplog):
    server.hang = True
    run = Run(f"httpPost('{server.url}').timeout(50ms)")
    run.node.point(two()[0])
    run.finish()
    assert caplog.records[0].err == f'Post "{server.url}": context deadline exceeded'


def test_an_endpoint_says_where_what_and_how(server):
    endpoint = Config(
        "e",
        server.url + "/{{.Name}}",
        headers={"X-A": "1", "X-B": "2"},
        row_template='{{.Name}} host={{index .Tags "h"}}'
        '{{range .Values}} {{index . "time"}} {{index . "v"}}{{end}}',
    )
    run = Run("httpPost().endpoint('e').header('x-b', '3')", endpoint)
    run.node.point(two()[0])
    run.finish()
    request = server.next()
    assert request.path == "/m"
    assert request.text == "m host=a 1970-01-01 00:00:01 +0000 UTC 1"
    assert (request.headers["X-A"], request.headers["X-B"]) == ("1", "3")
    assert "Content-Type" not in request.headers


def test_an_endpoint_may_be_changed_while_the_task_runs(server):
    run = Run("httpPost().endpoint('e')", Config("e", "http://127.0.0.1:1/"))
    run.service.prepared([Config("e", server.url + "/new")])()
    run.node.point(two()[0])
    run.finish()
    assert server.next().path == "/new"


def test_a_row_whose_template_fails_is_posted_as_json(server, caplog):
    template = "{{.Nope}}"
    run = Run(
        "httpPost().endpoint('e')", Config("e", server.url, row_template=template)
    )
    run.node.point(points("m v=1 1")[0])
    run.finish()
    text = "failed to execute row-template: posted the row as JSON"
    assert caplog.records[0].getMessage() == text
    err = "failed to execute row template: template: body:1:2: "
    assert caplog.records[0].err.startswith(err)
    assert run.node.errors == 1
    request = server.next()
    assert request.json["series"][0]["name"] == "m"
    assert request.headers["Content-Type"] == "application/json"


def test_what_json_has_no_form_for_is_posted_as_null(server):
    run = Run("httpPost().endpoint('e')", Config("e", server.url))
    run.node.point(points("m v=nan 1")[0])
    run.finish()
    assert server.next().json["series"][0]["values"] == [["1970-01-01T00:00:01Z", None]]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("httpPost()", "must provide url or endpoint"),
        ("httpPost('a', 'b')", "httpPost expects 0 or 1 arguments, got 2"),
        ("httpPost('a').endpoint('b')", "only one endpoint and url may be specified"),
        (
            "httpPost('a').header('Authenticate', 'x')",
            "cannot set 'authenticate' header",
        ),
    ],
)
def test_wrong_scripts_are_refused(call, text):
    with pytest.raises(ScriptError, match=text):
        Run(call)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("httpPost().endpoint('e')", "endpoint 'e' does not exist"),
        ("httpPost('http://h/{{')", 'invalid URL template syntax "http://h/{{": '),
    ],
)
def test_where_to_post_must_be_known_at_the_start(call, text):
    with pytest.raises(TaskError) as caught:
        Run(call)
    assert str(caught.value).startswith(text)


def test_rows_beyond_what_may_wait_are_lost_but_pass(server, caplog, monkeypatch):
    monkeypatch.setattr(http_post, "MAX_WAITING", 2)
    run = Run(f"httpPost('{server.url}')")
    for number in range(5):
        run.node.point(points(f"m v={number} 1")[0])
    run.finish()
    assert len(run.fields) == 5
    posted = [server.next().json["series"][0]["values"][0][1] for _ in range(2)]
    assert posted == [0, 1]
    assert server.received.empty()
    assert run.node.errors == 3
    assert [r.err for r in caplog.records] == [
        "2 rows are waiting; further rows are lost"
    ]


def test_a_barrier_stays_behind_the_points(server):
    run = Run(f"httpPost('{server.url}').codeField('code')")
    seen: list[str] = []
    run.collector.barrier = lambda barrier: seen.append("barrier")
    run.collector.point = lambda point: seen.append("point")
    run.node.barrier(Barrier("", 5))
    run.node.point(two()[0])
    run.node.barrier(Barrier("", 6))
    assert seen == ["barrier"]
    run.finish()
    assert seen == ["barrier", "point", "barrier"]


def test_a_task_that_has_ended_posts_what_waits_but_goes_on_with_nothing(server):
    run = Run(f"httpPost('{server.url}').codeField('code')")
    run.node.point(two()[0])
    run.task.close()
    run.finish()
    assert json.loads(server.next().body)["series"][0]["name"] == "m"
    assert run.fields == []


def test_the_end_does_not_wait_for_an_endpoint_that_hangs(server):
    server.hang = True
    run = Run(f"httpPost('{server.url}')")
    for point in two():
        run.node.point(point)
    assert run.finish(limit_s=0.05) == 2


def test_a_mistake_in_one_work_leaves_the_next(caplog):
    posts, steps = PostQueues(), []

    async def wrong() -> None:
        raise KeyError("x")

    async def right() -> Any:
        return lambda: steps.append(1)

    async def run(resume: Any, step: Any) -> None:
        resume(step)

    async def main() -> None:
        posts.start(run)
        queue = posts.open(lambda step: step())
        queue.put(wrong)
        queue.put(right)
        assert await posts.close(5) == 0
        assert queue.is_idle

    with caplog.at_level(logging.ERROR):
        asyncio.run(main())
    assert steps == [1]
    assert "failed to run the next step of a post" in caplog.text


def test_a_header_name_that_no_request_has_is_refused():
    with pytest.raises(TaskError) as caught:
        Run("httpPost('http://h/').header('X Y', 'v')")
    assert str(caught.value) == 'headers: net/http: invalid header field name "X Y"'
