"""Twenty-five tricky TICKscripts and their results in Kapacitor, seen from outside.

Tasks run in a real server; what they do is read from the files of `.log()` handlers,
from `|httpOut()`, from node statistics and from a recording chat server.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runtime.testing.loopback import LoopbackServer

S = "stream|from().measurement('m')"
CRIT = '|alert().crit(lambda: "v" > 5)'


@pytest.fixture(scope="module")
def room() -> Iterator[LoopbackServer]:
    """A recording chat server."""
    with LoopbackServer() as server:
        yield server


def hipchat(room: LoopbackServer) -> str:
    return f"""\
[hipchat]
  enabled = true
  url = "{room.url}/v2/room"
  room = "lobby"
  token = "t"
"""


@pytest.fixture(scope="module")
def server(start_shared_kapacitord, room: LoopbackServer) -> Any:
    return start_shared_kapacitord(hipchat(room))


@dataclass
class Task:
    """A task of its own database, whose alerts go to a file beside others."""

    server: Any
    id: str

    @property
    def file(self) -> Path:
        path: Path = self.server.directory / f"{self.id}.events"
        return path

    def define(self, script: str, status: str = "enabled") -> tuple[int, str]:
        """Status and error text of the definition."""
        body = {
            "id": self.id,
            "dbrps": [{"db": self.id, "rp": "r"}],
            "script": script,
            "status": status,
        }
        status_code, text = self.server.call("POST", "/kapacitor/v1/tasks", body)
        return status_code, json.loads(text).get("error", "")

    def start(self, script: str) -> None:
        assert self.define(script.replace("LOG", f".log('{self.file}')")) == (200, "")

    def write(self, *lines: str) -> None:
        """Write points, times in seconds."""
        self.server.write("\n".join(lines), f"db={self.id}&rp=r&precision=s")

    def values(self, *values: float, start: int = 1) -> None:
        """Write `v` of `m`, one point a second, without tags."""
        self.write(*(f"m v={value} {start + i}" for i, value in enumerate(values)))

    def collected(self) -> int:
        """Return the number of events in the topics of the task's alerts."""
        pattern = f"main:{self.id}:*"
        topics = self.server.json("GET", f"/alerts/topics?pattern={pattern}")["topics"]
        return sum(topic["collected"] for topic in topics)

    def alerts(self) -> list[dict[str, Any]]:
        """Return the events of the `.log()` handler, once it has all."""
        count, lines = self.collected(), b""
        deadline = time.monotonic() + 30
        while lines.count(b"\n") < count and time.monotonic() < deadline:
            self.server.process_wait(0.005)
            lines = self.file.read_bytes() if self.file.exists() else b""
        found = [json.loads(line) for line in lines.splitlines()]
        assert len(found) == count
        return found

    def events(self) -> list[str]:
        """`CRITICAL@1 OK 0s`: level, time, previous level and duration of each."""
        return [told(alert) for alert in self.alerts()]

    def rows(self, endpoint: str = "out") -> Any:
        return self.server.json("GET", f"/tasks/{self.id}/{endpoint}")["series"]

    def stats(self) -> dict[str, dict[str, int]]:
        task = self.server.json("GET", f"/tasks/{self.id}")
        assert task["executing"] is True
        assert task["error"] == ""
        nodes: dict[str, dict[str, int]] = task["stats"]["node-stats"]
        return nodes

    def errors(self) -> list[str]:
        """The lines about this task in the server's log."""
        return [
            line
            for line in self.server.log.splitlines()
            if "lvl=error" in line and f"task={self.id}" in line
        ]


def seconds(text: str) -> float:
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return moment.timestamp()


def told(alert: dict[str, Any]) -> str:
    return (
        f"{alert['level']}@{seconds(alert['time']):g} {alert['previousLevel']} "
        f"{alert['duration'] / 1e9:g}s"
    )


def times(row: dict[str, Any]) -> list[float]:
    return [seconds(value[0]) for value in row["values"]]


def column(row: dict[str, Any], name: str) -> list[Any]:
    index = row["columns"].index(name)
    return [value[index] for value in row["values"]]


@pytest.fixture
def task(server: Any, request: pytest.FixtureRequest) -> Iterator[Task]:
    """A task named as the test."""
    name = request.node.name.split("[")[0].removeprefix("test_")
    task = Task(server, name)
    yield task
    server.json("DELETE", f"/tasks/{name}")


def took(room: LoopbackServer, count: int) -> list[tuple[str, str]]:
    """Path and color of the next requests, of which there are no more."""
    found = [room.next(10) for _ in range(count)]
    assert room.received.empty()
    return [(each.path, each.json["color"]) for each in found]


def test_01_either_spelling_of_hip_chat_is_accepted(task: Task) -> None:
    # Kapacitor refuses `.hipchat()`; the documentation uses it, so both are fine here
    assert task.define(f"{S}|alert().stateChangesOnly().hipchat()") == (200, "")
    task.server.json("DELETE", f"/tasks/{task.id}")
    assert task.define(f"{S}|alert().stateChangesOnly().hipChat()") == (200, "")


def test_02_a_method_of_the_alert_leaves_the_handler(task: Task) -> None:
    script = f"{S}|alert().hipChat().stateChangesOnly().room('x')"
    status, error = task.define(script)
    place = script.index("room") + 1
    assert status == 400
    assert error == (
        f"invalid TICKscript: line 1 char {place}: "
        'no method or property "room" on *pipeline.AlertNodeData'
    )
    script = f"{S}|alert().hipChat().crit(lambda: TRUE).room('x')"
    assert task.define(script) == (200, "")


def test_03_double_quotes_where_a_string_belongs(task: Task) -> None:
    assert task.define('stream\n    |from()\n    .measurement("cpu")') == (
        400,
        "invalid TICKscript: line 3 char 6: cannot assign *ast.ReferenceNode to type "
        "string, did you use double quotes instead of single quotes?",
    )


def test_04_a_duration_has_one_unit(task: Task) -> None:
    assert task.define("stream|from()|window().period(1h30m)") == (
        400,
        "invalid TICKscript: parser: unexpected duration line 1 char 33 in "
        '".period(1h30m)". expected: ")"',
    )
    # two statements, neither of which is a stream
    assert task.define("var x = 1h30m") == (400, "invalid task type: invalid")


def test_05_a_mismatched_type_drops_one_point(task: Task) -> None:
    task.start(
        f"{S}|where(lambda: \"v\" > 1)|window().periodCount(9).everyCount(3)|httpOut('out')"
    )
    task.write("m v=2 1", "m v=3i 2", 'm v="x" 3', "m v=5 4")
    [row] = task.rows()
    assert column(row, "v") == [2, 3, 5]
    [line] = task.errors()
    assert "mismatched type to binary operator. got string > int. " in line
    assert "see bool(), int(), float(), string(), duration()" in line
    assert "node=where2" in line
    assert task.stats()["where2"]["errors"] == 1


def test_06_an_int_and_a_float_do_not_add(task: Task) -> None:
    task.start(
        f"{S}|where(lambda: \"i\" + 1.0 > 1.0)|httpOut('bad')\n"
        f"{S}|where(lambda: float(\"i\") + 1.0 > 1.0)|httpOut('out')"
    )
    task.write("m i=2i 1")
    assert task.rows("bad") is None
    assert column(task.rows()[0], "i") == [2]
    [line] = task.errors()
    assert "mismatched type to binary operator. got int + float. see " in line


def test_07_a_raw_field_wins_over_a_result(task: Task) -> None:
    task.start(
        f"{S}|eval(lambda: \"v\" + 1.0, lambda: \"v\" + 1.0).as('v','w')|httpOut('out')"
    )
    task.write("m v=1 1")
    [row] = task.rows()
    assert (row["columns"], row["values"][0][1:]) == (["time", "v", "w"], [1, 2])


def test_08_division_truncates_toward_zero(task: Task) -> None:
    task.start(f"{S}|eval(lambda: -7 / 2, lambda: -7 % 3).as('a','b')|httpOut('out')")
    task.write("m v=1 1")
    assert task.rows()[0]["values"][0][1:] == [-3, -1]


def test_09_one_counter_for_an_expression(task: Task) -> None:
    task.start(f"{S}|eval(lambda: count() + count()).as('r')|httpOut('out')")
    found = []
    for second in (1, 2):
        task.write(f"m v=1 {second}")
        found += column(task.rows()[0], "r")
    assert found == [3, 7]


def test_10_groups_share_the_state_of_an_alert_s_lambda(task: Task) -> None:
    task.start(
        "stream|from().measurement('m').groupBy('h')"
        "|alert().crit(lambda: count() > 2)LOG"
    )
    task.write(*(f"m,h={host} v=1 {i + 1}" for i, host in enumerate("abab")))
    # of different alerts one may overtake another
    alerts = sorted(task.alerts(), key=lambda alert: alert["time"])
    assert [told(alert)[:10] for alert in alerts] == ["CRITICAL@3", "CRITICAL@4"]
    tags = [alert["data"]["series"][0]["tags"] for alert in alerts]
    assert tags == [{"h": "a"}, {"h": "b"}]


def test_11_the_documentation_s_levels_and_resets(task: Task) -> None:
    task.start(
        f'{S}|alert().info(lambda: "v" > 60).infoReset(lambda: "v" < 50)'
        '.warn(lambda: "v" > 70).warnReset(lambda: "v" < 60)'
        '.crit(lambda: "v" > 80).critReset(lambda: "v" < 70)LOG'
    )
    task.values(61, 73, 64, 85, 62, 56, 47)
    assert task.events() == [
        "INFO@1 OK 0s",
        "WARNING@2 INFO 1s",
        "WARNING@3 WARNING 2s",
        "CRITICAL@4 WARNING 3s",
        "INFO@5 CRITICAL 4s",
        "INFO@6 INFO 5s",
        "OK@7 INFO 6s",
    ]


def test_12_a_level_is_left_only_when_its_reset_permits(task: Task) -> None:
    task.start(
        f'{S}|alert().warn(lambda: "v" > 70).crit(lambda: "v" > 80)'
        '.critReset(lambda: "v" < 60)LOG'
    )
    task.values(85, 75, 65, 59, 85, 50)
    levels = [event.split("@")[0] for event in task.events()]
    assert levels == ["CRITICAL", "CRITICAL", "CRITICAL", "OK", "CRITICAL", "OK"]


def test_13_a_failing_reset_lets_the_level_drop(task: Task) -> None:
    task.start(
        f'{S}|alert().crit(lambda: "v" > 80.0).critReset(lambda: "nope" < 60.0)LOG'
    )
    task.values(85, 75)
    assert task.events() == ["CRITICAL@1 OK 0s", "OK@2 CRITICAL 1s"]
    [line] = task.errors()
    assert "error evaluating reset expression for current level" in line
    assert 'left reference value \\"nope\\" is missing value' in line


def test_14_without_recoveries_the_previous_level_stays_critical(task: Task) -> None:
    task.start(f"{S}{CRIT}.noRecoveries()LOG|httpOut('out')")
    task.values(1, 9, 9, 1, 1, 9, 1)
    assert task.stats()["http_out3"]["collected"] == 3
    alerts = task.alerts()
    assert [told(alert) for alert in alerts] == [
        "CRITICAL@2 OK 0s",
        "CRITICAL@3 CRITICAL 1s",
        "CRITICAL@6 CRITICAL 0s",
    ]
    assert {alert["recoverable"] for alert in alerts} == {False}


def test_15_at_least_one_event_per_interval(task: Task) -> None:
    task.start(
        f'{S}|alert().warn(lambda: "v" > 70).crit(lambda: "v" > 80)'
        ".stateChangesOnly(3s)LOG"
    )
    task.values(50, 71, 72, 73, 74, 75, 76, 77, 50)
    assert task.events() == [
        "WARNING@2 OK 0s",
        "WARNING@5 WARNING 3s",
        "WARNING@8 WARNING 6s",
        "OK@9 WARNING 7s",
    ]


def test_16_flapping_suppresses_events(task: Task) -> None:
    task.start(f"{S}{CRIT}.flapping(0.25, 0.5)LOG")
    task.values(*[9, 1] * 15, *[1] * 20, 9, 9, 9)
    found = [event.split()[0] for event in task.events()]
    first = [
        f"{'CRITICAL' if second % 2 else 'OK'}@{second}" for second in range(1, 11)
    ]
    assert found == [*first, "CRITICAL@51", "CRITICAL@52", "CRITICAL@53"]


@pytest.mark.parametrize(
    ("is_global", "colors"),
    [(True, ["red", "green"]), (False, ["red", "red", "green"])],
)
def test_17_state_changes_only_of_a_global_service(
    task: Task, room: LoopbackServer, is_global: bool, colors: Sequence[str]
) -> None:
    flags = {"global": is_global, "state-changes-only": True}
    task.server.json("POST", "/config/hipchat/", {"set": flags})
    try:
        task.start(f"{S}{CRIT}.hipChat().room('X')")
    finally:
        delete = {"delete": ["global", "state-changes-only"]}
        task.server.json("POST", "/config/hipchat/", delete)
    task.values(9, 9, 1)
    assert task.collected() == len(colors)
    path = "/v2/room/X/notification"
    assert took(room, len(colors)) == [(path, color) for color in colors]


def test_18_a_restart_keeps_the_level(start_kapacitord, room: LoopbackServer) -> None:
    task = Task(start_kapacitord(hipchat(room)), "restarted")
    task.start(f"{S}{CRIT}.hipChat().stateChangesOnly()LOG")
    task.write("m v=9 1", "m v=9 11")
    assert took(room, 1) == [("/v2/room/lobby/notification", "red")]
    assert task.events() == ["CRITICAL@1 OK 0s"]
    task.file.unlink()
    task.server.stop()
    task.server.start()
    task.write("m v=9 100", "m v=9 110", "m v=1 120")
    assert task.events() == ["OK@120 CRITICAL 119s"]
    assert took(room, 1) == [("/v2/room/lobby/notification", "green")]


def test_19_a_new_group_inherits_what_its_id_was(task: Task) -> None:
    task.start(
        "stream|from().measurement('m').groupBy('h')"
        "|alert().id('X').crit(lambda: \"v\" > 5)LOG"
    )
    task.write("m,h=a v=9 1", "m,h=b v=1 2", "m,h=b v=9 3", "m,h=a v=1 4")
    alerts = task.alerts()
    assert [told(alert) for alert in alerts] == [
        "CRITICAL@1 OK 0s",
        "OK@2 CRITICAL 1s",
        "CRITICAL@3 OK 0s",
        "OK@4 CRITICAL 3s",
    ]
    hosts = [alert["data"]["series"][0]["tags"]["h"] for alert in alerts]
    assert hosts == ["a", "b", "b", "a"]


def test_20_windows_after_a_gap(task: Task) -> None:
    task.start(
        f"var w = {S}|window().period(5s).every(5s)\n"
        "w|httpOut('out')\nw|count('v')|httpOut('count')"
    )
    emitted = []
    for second in (0, 3, 23, 24, 28, 29):
        task.write(f"m v=1 {second}")
        rows = task.rows()
        window = (times(rows[0]), times(task.rows("count")[0])) if rows else None
        if window and window not in emitted:
            emitted.append(window)
            emitted.append(second)
    assert emitted == [([0, 3], [5]), 23, ([23, 24], [28]), 28]


def test_21_the_integration_test_of_hip_chat(task: Task) -> None:
    task.start(
        f"{S}|window().period(10s).every(10s)|count('value')"
        "|alert().id('kapacitor.{{ .Name }}').crit(lambda: \"count\" > 8.0)LOG"
    )
    task.write(*(f"m value=1 {second}" for second in range(1, 11)))
    assert task.stats()["count3"]["emitted"] == 0
    task.write("m value=1 11", "m value=1 12")
    assert task.stats()["count3"]["emitted"] == 1
    [alert] = task.alerts()
    assert told(alert) == "CRITICAL@11 OK 0s"
    assert alert["id"] == "kapacitor.m"
    [row] = alert["data"]["series"]
    assert row == {
        "name": "m",
        "columns": ["time", "count"],
        "values": [["1970-01-01T00:00:11Z", 10]],
    }


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("", ["CRITICAL@1 OK 0s", "CRITICAL@5 CRITICAL 4s", "OK@15 CRITICAL 14s"]),
        (".all()", ["CRITICAL@10 OK 0s", "OK@15 CRITICAL 5s"]),
    ],
)
def test_22_alerts_on_batches(task: Task, flag: str, expected: list[str]) -> None:
    task.file.unlink(missing_ok=True)
    task.start(
        "stream|from().measurement('m').groupBy('h')|window().period(5s).every(5s)"
        f"{CRIT}{flag}LOG"
    )
    values = [1, 9, 8, 1, 1, 9, 9, 9, 9, 9, 1, 1, 1, 1, 1, 1]
    task.write(*(f"m,h=a v={value} {second}" for second, value in enumerate(values)))
    assert task.events() == expected


def test_23_columns_of_a_batch_are_those_of_its_first_point(task: Task) -> None:
    task.start(
        "stream|from().measurement('m').groupBy('h')"
        f"|window().periodCount(2).everyCount(2){CRIT}LOG"
    )
    task.write("m,h=a,x=1 u=9 1", "m,h=a,y=2 v=9,w=1 2")
    [alert] = task.alerts()
    [row] = alert["data"]["series"]
    assert row["columns"] == ["time", "u", "x"]
    assert row["values"] == [
        ["1970-01-01T00:00:01Z", 9, "1"],
        ["1970-01-01T00:00:02Z", None, None],
    ]
    assert row["tags"] == {"h": "a"}
    assert alert["level"] == "CRITICAL"


def test_24_missing_values_in_templates(task: Task) -> None:
    message = '{{ index .Fields "v" }}|{{ .Fields.nope }}|{{ index .Tags "nope" }}'
    task.start(f"{S}{CRIT}.message('{message}')LOG")
    task.values(1234567.5)
    [alert] = task.alerts()
    assert alert["message"] == "1.2345675e+06|<no value>|"


def test_25_a_bad_line_rejects_the_whole_write(task: Task) -> None:
    task.start("stream|from()|httpOut('out')")
    body = "cpu v=1\nbad\nmem v=2"
    for base in ("", "/kapacitor/v1"):
        answer = task.server.call("POST", f"{base}/write?db={task.id}&rp=r", body)
        assert answer == (400, "unable to parse 'bad': missing fields\n")
    assert task.rows() is None
    assert task.stats()["stream0"]["collected"] == 0
