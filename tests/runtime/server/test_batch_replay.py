"""Replays of batches in a running server; files as Kapacitor made them."""

import asyncio
import gzip
import json
import os
import time
import zipfile

import pytest

from runtime.server.config.sections import ReplayConfig
from runtime.services.httpd.messages import Request

QUERY = "|query('SELECT v FROM d.r.m').period(1m).every(1m).groupBy('h')"
ALERT = """
    |alert()
        .id('{{ .Group }}')
        .message('{{ index .Fields "v" }} {{ .Time.Unix }}')
        .crit(lambda: "v" > 5)
        .topic('t')
"""
SUM = """
    |sum('v')
    |alert()
        .id('{{ .Group }}')
        .message('{{ index .Fields "sum" }} {{ .Time.Unix }}')
        .crit(lambda: TRUE)
        .topic('t')
"""


def line(host, tmax, *points):
    """A batch as Kapacitor writes it; times are seconds of the first of 2020."""
    return json.dumps(
        {
            "name": "m",
            "tmax": moment(tmax),
            "group": f"h={host}",
            "tags": {"h": host},
            "points": [
                {"fields": {"v": value}, "tags": {"h": host}, "time": moment(time)}
                for time, value in points
            ],
        }
    )


def moment(second):
    minutes, seconds = divmod(second, 60)
    return f"2020-01-01T00:{minutes:02}:{seconds:02}Z"


START = 1577836800


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "replay"
    folder.mkdir()
    return folder


@pytest.fixture
def config(config, home):
    config.replay = ReplayConfig(dir=str(home))
    return config


@pytest.fixture
def put(home):
    """Puts recordings in the directory; before the server starts."""

    def put(id, *members):
        with zipfile.ZipFile(home / f"{id}.brpl", "w") as archive:
            for number, lines in enumerate(members):
                archive.writestr(str(number), "\n".join(lines))

    put("one", [line("a", 60, (10, 1.0), (20, 9.0)), line("b", 60, (15, 2.0))])
    put("long", [line("a", 60 * n, (60 * n - 1, 6.0 + n)) for n in range(1, 5)])
    put(
        "two",
        [line("a", 60, (10, 1.0)), line("a", 120, (70, 3.0))],
        [line("b", 60, (40, 2.0)), line("b", 120, (100, 4.0))],
    )
    put("damaged", [line("a", 60, (10, 1.0)), "{"])
    (home / "points.srpl").write_bytes(gzip.compress(b"d\nr\nm v=1 1\n"))
    (home / "odd.txt").write_text("x")
    (home / "a b.brpl").write_text("x")
    (home / "folder.srpl").mkdir()
    os.mkfifo(home / "pipe.brpl")
    return put


@pytest.fixture
def server_api(put, api):
    """The API of a server that finds the recordings."""
    return api


def define(api, *chains, id="t"):
    body = {
        "id": id,
        "type": "batch",
        "dbrps": [{"db": "d", "rp": "r"}],
        "script": "".join(f"batch{chain}\n" for chain in chains),
    }
    api.json("POST", "/tasks", body)


def replayed(api, recording, task="t", **options):
    """A replay when it has ended."""
    body = {"task": task, "recording": recording, **options}
    status, text = api.ask("POST", "/replays", body)
    assert status == 201, text
    id = json.loads(text)["id"]

    async def wait():
        async with asyncio.timeout(30):
            while True:
                path = f"/kapacitor/v1/replays/{id}"
                answer = await api.server.http.answer(Request("GET", path, path))
                if answer.status != 202:
                    return json.loads(answer.body)
                await asyncio.sleep(0.01)

    return api.run(wait())


def events(api):
    """Id, message and level of the events of the topic."""
    found = api.json("GET", "/alerts/topics/t/events")["events"]
    return sorted(
        (each["id"], each["state"]["message"], each["state"]["level"]) for each in found
    )


def test_files_in_the_directory_become_recordings(server_api):
    found = server_api.json("GET", "/recordings")["recordings"]
    assert {each["id"]: each["type"] for each in found} == {
        **{"one": "batch", "two": "batch", "long": "batch", "damaged": "batch"},
        "points": "stream",
    }
    assert {each["status"] for each in found} == {"finished"}
    assert all(each["size"] > 0 and each["progress"] == 1 for each in found)


def test_batches_are_replayed_with_their_times(server_api):
    define(server_api, QUERY + ALERT)
    done = replayed(server_api, "one", **{"recording-time": True})
    assert (done["status"], done["error"], done["progress"]) == ("finished", "", 1.0)
    assert events(server_api) == [("h=a", f"9 {START + 20}", "CRITICAL")]
    assert done["stats"]["node-stats"]["query1"]["collected"] == 2


def test_aggregates_have_the_end_of_the_batch(server_api):
    define(server_api, QUERY + SUM)
    replayed(server_api, "one", **{"recording-time": True})
    assert events(server_api) == [
        ("h=a", f"10 {START + 60}", "CRITICAL"),
        ("h=b", f"2 {START + 60}", "CRITICAL"),
    ]


def test_without_its_times_a_recording_begins_now(server_api):
    define(server_api, QUERY + SUM)
    done = replayed(server_api, "one")
    assert done["status"] == "finished"
    [(_, first, _), (_, second, _)] = events(server_api)
    # the first point is now; a batch ends with its last point
    first_s, second_s = int(first.split()[1]), int(second.split()[1])
    assert first_s - second_s == 20 - 15
    assert 0 <= time.time() - (first_s - 10) < 120


def test_batches_of_several_queries_come_in_order(server_api):
    define(
        server_api,
        QUERY + "\n|log().prefix('1')",
        QUERY + SUM.replace("'{{ .Group }}'", "'only'"),
    )
    done = replayed(server_api, "two", **{"recording-time": True})
    assert done["error"] == ""
    stats = done["stats"]["node-stats"]
    assert (stats["query1"]["collected"], stats["query3"]["collected"]) == (2, 2)
    assert events(server_api) == [("only", f"4 {START + 120}", "CRITICAL")]


@pytest.mark.parametrize(
    ("recording", "chains", "error"),
    [
        ("two", 1, "unexpected number of batch collectors. exp 2 got 1"),
        ("one", 2, "unexpected number of batch collectors. exp 1 got 2"),
        ("damaged", 1, "invalid replay file format: "),
    ],
)
def test_what_does_not_fit_fails(server_api, recording, chains, error):
    define(server_api, *[QUERY + "\n|log()"] * chains)
    done = replayed(server_api, recording)
    assert done["status"] == "failed"
    assert done["error"].startswith(error)


def test_types_must_agree(server_api):
    define(server_api, QUERY + "\n|log()")
    body = {"task": "t", "recording": "points"}
    assert server_api.ask("POST", "/replays", body) == (
        400,
        "cannot replay a stream recording with a batch task",
    )


def test_deleted_recordings_leave_no_file(server_api, home):
    assert server_api.ask("DELETE", "/recordings/one")[0] == 204
    assert not (home / "one.brpl").exists()
    assert (home / "two.brpl").exists()


def test_the_real_clock_keeps_the_distances(server_api, monkeypatch):
    waits = []

    async def wait(self, due_s, master, compute):
        waits.append(due_s)

    monkeypatch.setattr("runtime.tasks.replay.player.Player._wait", wait)
    define(server_api, QUERY + ALERT)
    replayed(server_api, "long", clock="real", **{"recording-time": True})
    assert waits == [0.0, 60.0, 120.0, 180.0]
    assert events(server_api) == [("h=a", f"10 {START + 239}", "CRITICAL")]
