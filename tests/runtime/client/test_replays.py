import time

import pytest

from runtime.client.tables import byte_count

SCRIPT = """stream
    |from()
        .measurement('cpu')
    |alert()
        .crit(lambda: TRUE)
        .log('{path}')
"""


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (82, "82 B"),
        (999, "999 B"),
        (1930, "1.9 kB"),
        (12_345, "12 kB"),
        (82_854_982, "83 MB"),
    ],
)
def test_sizes_are_told_as_people_read_them(size, text):
    assert byte_count(size) == text


def test_a_stream_is_recorded_listed_replayed_and_deleted(start_kapacitord):
    server = start_kapacitord()
    log = server.directory / "alerts.log"
    (server.directory / "t.tick").write_text(SCRIPT.format(path=log))
    server.cli("define", "t", "-tick", "t.tick", "-dbrp", "d.r")
    begin = ("record", "stream", "-task", "t", "-duration", "2s")
    said = server.cli(*begin, "-recording-id", "rec", "-no-wait")
    assert said == "rec\n"
    server.write("cpu,host=a v=1 1", "db=d&rp=r")
    assert server.cli(*begin, "-no-wait") != ""
    # a point later than the stop ends both
    server.write("cpu v=2 4102444800000000000", "db=d&rp=r")
    deadline = time.monotonic() + 20
    while server.call("GET", "/kapacitor/v1/recordings/rec")[0] == 202:
        assert time.monotonic() < deadline
        server.process_wait(0.05)
    assert server.cli("replay", "-recording", "rec", "-task", "t", "-rec-time") != ""
    assert '"time":"1970-01-01T00:00:00.000000001Z"' in log.read_text()

    head, *rows = server.cli("list", "recordings").splitlines()
    assert head.split() == ["ID", "Type", "Status", "Size", "Date"]
    [row] = [each for each in rows if each.startswith("rec ")]
    assert row.split()[:3] == ["rec", "stream", "finished"]
    assert all("finished" in each for each in rows)
    assert row.endswith(" UTC    ")
    head, row = server.cli("list", "replays").splitlines()
    assert head.split() == ["ID", "Task", "Recording", "Status", "Clock", "Date"]
    assert row.split()[1:5] == ["t", "rec", "finished", "fast"]

    assert server.cli("delete", "recordings", "*") == ""
    assert server.cli("delete", "replays", "*") == ""
    assert len(server.cli("list", "recordings").splitlines()) == 1
    assert len(server.cli("list", "replays").splitlines()) == 1


def test_what_cannot_be_is_told(start_kapacitord):
    server = start_kapacitord()
    for arguments, code, text in (
        (("record",), 2, "Must specify what to record: 'stream', 'batch' or 'query'"),
        (("record", "odd"), 3, "Error: Unknown record type \"odd\", expected 'stream'"),
        (("record", "stream"), 3, "Error: both task and duration are required"),
        (("record", "batch"), 3, "Error: task is required"),
        (("record", "batch", "-task", "t"), 3, "Error: must set one of start or past"),
        (
            ("record", "batch", "-task", "t", "-start", "x", "-past", "1h"),
            3,
            "Error: cannot set both start and past flags.",
        ),
        (
            ("record", "batch", "-task", "t", "-stop", "x", "-past", "1h"),
            3,
            'Error: invalid time "x", must be RFC 3339',
        ),
        (
            ("record", "batch", "-task", "t", "-past", "1y"),
            3,
            "Error: invalid duration",
        ),
        (("record", "batch", "-task", "t", "-past", "1h"), 3, "Error: no task exists"),
        (("record", "query"), 3, "Error: both query and type are required"),
        (
            ("record", "query", "-type", "stream", "-query", "SELECT v FROM d.r.m"),
            3,
            "Error: InfluxDB not configured, cannot record query",
        ),
        (("replay",), 3, "Error: must pass recording ID"),
        (("replay", "-recording", "x"), 3, "Error: must pass task ID"),
        (("replay-live",), 2, "Must specify what to replay: 'batch' or 'query'"),
        (("replay-live", "odd"), 3, 'Error: Unknown replay-live type "odd", expected'),
        (
            ("replay", "-recording", "x", "-task", "y"),
            3,
            "Error: task load: no task exists",
        ),
        (("replay-live", "batch"), 3, "Error: task is required"),
        (("replay-live", "query"), 3, "Error: both query and task are required"),
        (
            ("replay-live", "query", "-task", "t", "-query", "SELECT v"),
            3,
            "Error: task load: no task exists",
        ),
    ):
        assert text in server.cli(*arguments, code=code)
