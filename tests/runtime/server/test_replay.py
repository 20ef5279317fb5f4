"""Recordings and replays in a running server."""

import asyncio
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runtime.server.config.sections import ReplayConfig
from runtime.services.httpd.messages import Request
from runtime.tasks.replay.recorder import HISTORIC_QUIET_NS, QUIET_NS

SCRIPT = """stream
    |from()
        .measurement('cpu')
    |alert()
        .id('{{ .Tags.host }}')
        .crit(lambda: "v" > 5)
"""
DBRP = [{"db": "d", "rp": "r"}]
# a point later than any stop
CLOSING = "cpu v=0 4102444800000000000"


@pytest.fixture
def home(tmp_path):
    return tmp_path / "replay"


@pytest.fixture
def config(config, home):
    config.replay = ReplayConfig(dir=str(home))
    return config


def in_s(seconds):
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def define(api, handlers="", id="t"):
    task = {"id": id, "dbrps": DBRP, "script": SCRIPT + handlers}
    api.json("POST", "/tasks", task)


def ended(api, path):
    """The recording or replay when it has ended."""

    async def wait():
        async with asyncio.timeout(20):
            while True:
                status, tree = await once()
                if status != 202:
                    assert status == 200
                    return tree
                await asyncio.sleep(0.02)

    async def once():
        path_ = f"/kapacitor/v1{path}"
        answer = await api.server.http.answer(Request("GET", path_, path_))
        return answer.status, json.loads(answer.body)

    return api.run(wait())


def created(api, path, body):
    status, text = api.ask("POST", path, body)
    assert status == 201, text
    return json.loads(text)


def save(home, lines, id="rec", api=None):
    """A recording that exists already."""
    home.mkdir(exist_ok=True)
    text = "".join(f"d\nr\n{line}\n" for line in lines)
    (home / f"{id}.srpl").write_bytes(gzip.compress(text.encode()))


@pytest.fixture
def recorded(api, home):
    """Puts a recording in place."""

    def put(lines, id="rec"):
        define(api, id="recorder")
        created(
            api,
            "/recordings/stream",
            {"id": id, "task": "recorder", "stop": in_s(-1)},
        )
        write(api, CLOSING)
        ended(api, f"/recordings/{id}")
        save(home, lines, id)

    return put


def write(api, lines, query="db=d&rp=r"):
    answer = api.answer("POST", f"/kapacitor/v1/write?{query}", lines)
    assert answer.status == 204


def test_what_a_task_reads_is_recorded(api, home):
    define(api)
    tree = created(
        api, "/recordings/stream", {"id": "a", "task": "t", "stop": in_s(60)}
    )
    assert list(tree) == [
        *("link", "id", "type", "size", "date", "error", "status", "progress"),
    ]
    assert tree["link"]["href"] == "/kapacitor/v1/recordings/a"
    assert (tree["type"], tree["status"], tree["size"]) == ("stream", "running", 0)
    status, text = api.ask("GET", "/recordings/a")
    assert status == 202
    assert 0 <= json.loads(text)["progress"] <= 1
    write(api, "cpu,host=a v=1 1\nmem v=2 2\ncpu v=3 3")
    write(api, "cpu v=9 9", "db=other&rp=r")
    write(api, 'cpu s="x" 4')
    write(api, f"mem v=1 4102444800000000000\ncpu v=5 5\n{CLOSING}\ncpu v=6 6")
    tree = ended(api, "/recordings/a")
    path = home / "a.srpl"
    assert (tree["status"], tree["error"], tree["progress"]) == ("finished", "", 1)
    assert tree["size"] == path.stat().st_size
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    assert lines[::3] == ["d"] * 4
    assert lines[2::3] == [
        "cpu,host=a v=1.0 1",
        "cpu v=3.0 3",
        'cpu s="x" 4',
        "cpu v=5.0 5",
    ]
    write(api, "cpu v=1 5")
    assert tree["size"] == path.stat().st_size


def seconds(first, last):
    return "\n".join(f"cpu v={n} {n}000000000" for n in range(first, last + 1))


def recorded_times(home, id):
    text = gzip.decompress((home / f"{id}.srpl").read_bytes()).decode()
    return [int(line.rpartition(" ")[2]) for line in text.splitlines()[2::3]]


def test_old_data_is_recorded_up_to_its_own_time(api, home, server):
    define(api, f"        .post('{server.url}')\n")
    stop = "1970-01-01T00:00:10Z"
    created(api, "/recordings/stream", {"id": "a", "task": "t", "stop": stop})
    status, text = api.ask("GET", "/recordings/a")
    assert (status, json.loads(text)["progress"]) == (202, 0)
    write(api, seconds(0, 4))
    assert api.ask("GET", "/recordings/a")[0] == 202
    write(api, seconds(5, 12))
    # late points are left out, too
    write(api, "cpu v=1 7000000001")
    assert ended(api, "/recordings/a")["status"] == "finished"
    assert recorded_times(home, "a") == [n * 10**9 for n in range(11)]
    created(api, "/replays", {"id": "p", "task": "t", "recording": "a"})
    assert ended(api, "/replays/p")["stats"]["node-stats"]["from1"]["collected"] == 11
    assert api.run(asyncio.to_thread(server.next)).json["level"] == "CRITICAL"


@pytest.mark.parametrize(
    ("stop", "is_in"),
    [
        ("1970-01-01T00:00:10Z", True),
        ("1970-01-01T00:00:09.999999999Z", False),
        ("1970-01-01T02:00:10+02:00", True),
        ("1969-12-31T23:00:09-01:00", False),
    ],
)
def test_a_point_at_the_stop_is_recorded(api, home, stop, is_in):
    define(api)
    created(api, "/recordings/stream", {"id": "a", "task": "t", "stop": stop})
    write(api, "cpu v=1 10000000000")
    write(api, CLOSING)
    ended(api, "/recordings/a")
    assert recorded_times(home, "a") == [10_000_000_000] * is_in


@pytest.mark.parametrize("lines", ["mem v=1 4102444800000000000", ""])
def test_only_data_of_the_task_ends_a_recording(api, lines):
    define(api)
    stop = "1970-01-01T00:00:10Z"
    created(api, "/recordings/stream", {"id": "a", "task": "t", "stop": stop})
    write(api, lines)
    write(api, CLOSING, "db=other&rp=r")
    assert api.ask("GET", "/recordings/a")[0] == 202
    write(api, CLOSING)
    assert ended(api, "/recordings/a")["status"] == "finished"


@pytest.mark.parametrize(
    ("stop_s", "quiet_s"), [(10, QUIET_NS // 10**9), (-10, HISTORIC_QUIET_NS // 10**9)]
)
def test_without_data_a_recording_ends_after_a_while(
    config, start_api, stop_s, quiet_s
):
    now = 1_700_000_000 * 10**9
    clock = [now]
    api = start_api(config, clock=lambda: clock[0])
    define(api)
    stop = datetime.fromtimestamp(1_700_000_000 + stop_s, UTC).isoformat()
    created(api, "/recordings/stream", {"id": "a", "task": "t", "stop": stop})
    # a point restarts the period
    clock[0] = now + max(stop_s, 0) * 10**9 + quiet_s * 10**9 - 1
    write(api, "cpu v=1 1")
    clock[0] += quiet_s * 10**9 - 1
    assert api.ask("GET", "/recordings/a")[0] == 202
    clock[0] += 1
    assert ended(api, "/recordings/a")["status"] == "finished"


def test_a_replay_alerts_for_real(api, server, recorded):
    recorded(["cpu,host=a v=1 1000000000", "cpu,host=a v=9 3000000000"])
    define(api, f"        .post('{server.url}')\n")
    body = {"id": "p", "task": "t", "recording": "rec", "recording-time": True}
    tree = created(api, "/replays", body)
    assert list(tree)[:7] == [
        *("link", "id", "task", "recording", "recording-time", "clock", "date"),
    ]
    assert (tree["status"], tree["clock"]) == ("running", "fast")
    tree = ended(api, "/replays/p")
    assert (tree["status"], tree["error"], tree["progress"]) == ("finished", "", 1)
    assert tree["stats"]["node-stats"]["alert2"]["crits_triggered"] == 1
    event = api.run(asyncio.to_thread(server.next)).json
    assert (event["id"], event["level"]) == ("a", "CRITICAL")
    assert event["time"] == "1970-01-01T00:00:03Z"
    # nothing of it stays
    assert api.json("GET", "/alerts/topics")["topics"] == []
    assert api.json("GET", "/tasks/t")["executing"] is False


def test_times_are_shifted_to_now(api, server, recorded):
    recorded(["cpu,host=a v=1 1000000000", "cpu,host=a v=9 3000000000"])
    define(api, f"        .post('{server.url}')\n")
    before = datetime.now(UTC)
    created(api, "/replays", {"id": "p", "task": "t", "recording": "rec"})
    event = api.run(asyncio.to_thread(server.next)).json
    time = datetime.fromisoformat(event["time"][:19] + "+00:00")
    assert timedelta(seconds=0) < time - before < timedelta(seconds=30)


def test_a_real_clock_leaves_time_between_points(api, recorded):
    recorded(["cpu,host=a v=1 1000000000", "cpu,host=a v=9 1300000000"])
    define(api)
    body = {"id": "p", "task": "t", "recording": "rec", "clock": "real"}
    before = datetime.now(UTC)
    created(api, "/replays", body)
    assert ended(api, "/replays/p")["status"] == "finished"
    assert datetime.now(UTC) - before >= timedelta(seconds=0.3)


def test_a_replay_of_many_points_keeps_their_order(api, recorded):
    lines = [f"cpu,host=a v={i % 10} {i}" for i in range(1, 3001)]
    recorded(lines)
    define(api)
    created(api, "/replays", {"id": "p", "task": "t", "recording": "rec"})
    stats = ended(api, "/replays/p")["stats"]["node-stats"]
    assert stats["from1"]["collected"] == 3000
    assert stats["alert2"]["crits_triggered"] == 1200


def test_named_topics_are_the_real_ones(api, recorded):
    recorded(["cpu,host=a v=9 1"])
    define(api, "        .topic('real')\n")
    created(api, "/replays", {"id": "p", "task": "t", "recording": "rec"})
    ended(api, "/replays/p")
    assert api.json("GET", "/alerts/topics/real")["level"] == "CRITICAL"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (
            ["cpu nonsense"],
            "invalid replay file format, a point has no time: cpu nonse",
        ),
        (["cpu v=x 5"], "unable to parse 'cpu v=x "),
    ],
)
def test_a_replay_that_fails_says_why(api, recorded, lines, text):
    recorded(lines)
    define(api)
    created(api, "/replays", {"id": "p", "task": "t", "recording": "rec"})
    tree = ended(api, "/replays/p")
    assert tree["status"] == "failed"
    assert tree["error"].startswith(text)


def test_a_task_that_cannot_start_fails_its_replay(api, recorded):
    recorded(["cpu,host=a v=9 5"])
    define(api, "        .log('rel')\n")
    created(api, "/replays", {"id": "p", "task": "t", "recording": "rec"})
    assert "log path must be absolute" in ended(api, "/replays/p")["error"]


def test_lists_are_newest_first_and_picked(api, recorded):
    for id in ("one", "two"):
        (
            recorded(["cpu v=1 1"], id)
            if id == "one"
            else created(
                api,
                "/recordings/stream",
                {"id": id, "task": "recorder", "stop": in_s(-1)},
            )
        )
    write(api, CLOSING)
    ended(api, "/recordings/two")
    define(api)
    created(api, "/replays", {"id": "p", "task": "t", "recording": "one"})
    found = api.json("GET", "/recordings")["recordings"]
    assert [each["id"] for each in found] == ["two", "one"]
    found = api.json("GET", "/recordings?pattern=o*&fields=size")["recordings"]
    assert [list(each) for each in found] == [["id", "link", "size"]]
    assert [each["id"] for each in api.json("GET", "/replays")["replays"]] == ["p"]
    ended(api, "/replays/p")
    assert api.ask("DELETE", "/replays/p") == (204, "")
    assert api.json("GET", "/replays") == {"replays": []}
    assert api.ask("GET", "/recordings?fields=x") == (400, 'unsupported field "x"')


def test_deleting_ends_what_is_under_way(api, home, recorded):
    define(api)
    body = {"id": "a", "task": "t", "stop": in_s(600)}
    created(api, "/recordings/stream", body)
    assert (home / "a.srpl").exists()
    assert api.ask("DELETE", "/recordings/a") == (204, "")
    assert not (home / "a.srpl").exists()
    assert api.json("GET", "/recordings") == {"recordings": []}
    recorded(["cpu v=1 1", "cpu v=1 900000000000"])
    body = {"id": "p", "task": "t", "recording": "rec", "clock": "real"}
    created(api, "/replays", body)
    assert api.ask("DELETE", "/replays/p") == (204, "")
    assert api.json("GET", "/replays") == {"replays": []}
    assert api.ask("DELETE", "/recordings/nope") == (204, "")


def test_a_task_is_shown_as_a_replay_runs_it(api, recorded):
    recorded(["cpu,host=a v=9 1", "cpu v=1 900000000000"])
    define(api)
    body = {"id": "p", "task": "t", "recording": "rec", "clock": "real"}
    created(api, "/replays", body)

    async def fed():
        async with asyncio.timeout(20):
            while True:
                uri = "/kapacitor/v1/tasks/t"
                request = Request("GET", uri, uri, "replay-id=p")
                answer = await api.server.http.answer(request)
                tree = json.loads(answer.body)
                nodes = tree.get("stats", {}).get("node-stats")
                if nodes and nodes["alert2"]["crits_triggered"] == 1:
                    return tree
                await asyncio.sleep(0.02)

    assert api.run(fed())["executing"] is True
    assert api.ask("GET", "/tasks/t?replay-id=x") == (
        400,
        "no running replay with ID: x",
    )


def test_what_is_under_way_at_a_stop_has_failed(api):
    define(api)
    created(api, "/recordings/stream", {"id": "a", "task": "t", "stop": in_s(600)})
    api.restart()
    tree = ended(api, "/recordings/a")
    assert (tree["status"], tree["error"]) == ("failed", "the server stopped meanwhile")


def test_a_recording_that_cannot_be_written_is_told(api, home):
    home.write_text("a file where a directory should be")
    define(api)
    body = {"id": "a", "task": "t", "stop": in_s(1)}
    status, text = api.ask("POST", "/recordings/stream", body)
    assert (status, text) == (500, "open a.srpl: file exists")
    assert api.json("GET", "/recordings") == {"recordings": []}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        (
            "GET",
            "/recordings/x",
            "",
            500,
            "error finding recording: no recording exists",
        ),
        ("GET", "/recordings/", "", 400, "must specify recording id on path"),
        ("GET", "/replays/x", "", 404, "could not find replay: no replay exists"),
        ("GET", "/replays/", "", 400, "must specify replay id on path"),
        ("POST", "/recordings/stream", {"task": "x"}, 404, "no task exists"),
        ("POST", "/recordings/stream", {"task": "t"}, 400, "must provide stop time"),
        ("POST", "/recordings/stream", "", 400, "EOF"),
        (
            "POST",
            "/recordings/stream",
            {"task": "t", "stop": "soon"},
            400,
            'invalid time "soon", must be RFC 3339',
        ),
        (
            "POST",
            "/recordings/stream",
            {"task": "t", "id": "../x", "stop": "2030-01-01T00:00:00Z"},
            400,
            "recording ID must contain only letters, numbers, '-', '.' and '_'. "
            '"../x"',
        ),
        ("POST", "/replays", {"task": "x"}, 404, "task load: no task exists"),
        (
            "POST",
            "/replays",
            {"task": "t"},
            404,
            "recording not found: no recording exists",
        ),
        (
            "POST",
            "/replays",
            {"clock": "x"},
            400,
            "unknown Clock x",
        ),
        ("POST", "/recordings/batch", {}, 400, "must provide start time"),
        (
            "POST",
            "/recordings/batch",
            {"start": "x"},
            400,
            'invalid time "x", must be RFC 3339',
        ),
        (
            "POST",
            "/recordings/batch",
            {"start": "2026-01-01T00:00:00Z", "task": "x"},
            404,
            "no task exists",
        ),
        (
            "POST",
            "/recordings/batch",
            {"start": "2026-01-01T00:00:00Z", "task": "t"},
            400,
            "cannot record the queries of a stream task: t",
        ),
        (
            "POST",
            "/recordings/query",
            {},
            400,
            "must provide type, 'stream' or 'batch'",
        ),
        ("POST", "/recordings/query", {"type": "x"}, 400, "unknown TaskType x"),
        ("POST", "/recordings/query", {"type": "stream"}, 400, "must provide query"),
        (
            "POST",
            "/recordings/query",
            {"type": "stream", "query": "SELECT v"},
            400,
            "failed to parse InfluxQL query: found EOF, expected FROM at line 1, char 10",
        ),
        (
            "POST",
            "/recordings/query",
            {"type": "stream", "query": "SELECT v FROM m"},
            400,
            "could not determine database and retention policy. Is the query fully"
            " qualified?",
        ),
        (
            "POST",
            "/recordings/query",
            {"type": "batch", "query": "SELECT v FROM d.r.m, e.r.m"},
            400,
            "could not determine database and retention policy. Is the query fully"
            " qualified?",
        ),
        (
            "POST",
            "/recordings/query",
            {"type": "batch", "query": "SELECT v FROM d.r.m, d.r./n/"},
            400,
            "InfluxDB not configured, cannot record query",
        ),
        ("POST", "/replays/batch", {"clock": "x"}, 400, "unknown Clock x"),
        ("POST", "/replays/batch", {"task": "x"}, 404, "task load: no task exists"),
        (
            "POST",
            "/replays/batch",
            {"task": "t"},
            400,
            "cannot replay batch against stream task: t",
        ),
        ("POST", "/replays/query", {}, 400, "must provide query"),
        (
            "POST",
            "/replays/query",
            {"query": "SELECT v FROM d.r.m", "task": "x"},
            404,
            "task load: no task exists",
        ),
        (
            "POST",
            "/replays/query",
            {"query": "SELECT v FROM d.r.m", "task": "t"},
            400,
            "InfluxDB not configured, cannot record query",
        ),
    ],
)
def test_wrong_requests_are_refused(api, method, path, body, status, text):
    define(api)
    assert api.ask(method, path, body) == (status, text)


def test_ids_are_taken_once(api, recorded):
    recorded(["cpu v=1 1"])
    body = {"id": "rec", "task": "recorder", "stop": in_s(1)}
    assert api.ask("POST", "/recordings/stream", body) == (
        500,
        "recording already exists",
    )
    body = {"id": "p", "task": "recorder", "recording": "rec"}
    created(api, "/replays", body)
    assert api.ask("POST", "/replays", body) == (500, "replay already exists")


def test_a_file_that_is_gone_fails_the_replay(api, home, recorded):
    recorded(["cpu v=1 1"])
    Path(home / "rec.srpl").unlink()
    created(api, "/replays", {"id": "p", "task": "recorder", "recording": "rec"})
    tree = ended(api, "/replays/p")
    assert tree["error"] == "open rec.srpl: no such file or directory"


DEADMAN = (
    "stream|from().measurement('cpu')|deadman(0.0, 10s)"
    ".stateChangesOnly().post('{url}')"
)


@pytest.mark.parametrize("clock", ["fast", "real"])
def test_time_passes_between_the_points_of_a_replay(api, recorded, server, clock):
    # in real time a second is as long as a hundred here
    scale, unit = (1, "10s") if clock == "fast" else (100, "100ms")
    # none for 40 s after 33 s, then some until 95 s
    moments = [*range(1, 34), *range(75, 96)]
    recorded([f"cpu,host=a v=1 {n * 10**9 // scale}" for n in moments])
    script = DEADMAN.replace("10s", unit).replace("{url}", server.url)
    api.json("POST", "/tasks", {"id": "t", "dbrps": DBRP, "script": script})
    body = {"id": "p", "task": "t", "recording": "rec", "clock": clock}
    created(api, "/replays", body | {"recording-time": True})
    tree = ended(api, "/replays/p")
    assert (tree["status"], tree["error"]) == ("finished", "")
    events = [api.run(asyncio.to_thread(server.next)).json for _ in range(2)]
    told = [(event["level"], event["id"], event["time"]) for event in events]
    assert [level for level, _, _ in told] == ["CRITICAL", "OK"]
    assert {id for _, id, _ in told} == {"nil:from1 for task 't'"}
    if clock == "fast":
        assert [time for _, _, time in told] == [
            "1970-01-01T00:00:50Z",
            "1970-01-01T00:01:20Z",
        ]


def test_a_gap_of_decades_does_not_hold_up_a_replay(api, recorded, home):
    years = (1, 14, 27, 40)
    recorded([f"cpu v=1 {year * 31_536_000_000_000_000}" for year in years])
    script = (
        "var f = stream|from().measurement('cpu')|barrier().period(1u)"
        " f|stats(1u)|alert().crit(lambda: TRUE).topic('x')"
    )
    api.json("POST", "/tasks", {"id": "t", "dbrps": DBRP, "script": script})
    body = {"id": "p", "task": "t", "recording": "rec", "clock": "fast"}
    created(api, "/replays", body | {"recording-time": True})
    tree = ended(api, "/replays/p")
    assert (tree["status"], tree["error"]) == ("finished", "")
    assert tree["stats"]["node-stats"]["from1"]["collected"] == len(years)
