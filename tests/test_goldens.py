"""Recordings of a real Kapacitor, compared with this one.

Every row of `goldens/*.jsonl` is a script, the points it got and what came of them (see
`goldens/README.md`). The rows of a file run at the same time in one server. What they
do may differ from the recording only as `DIFFERENCES` has it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runtime.testing.loopback import LoopbackServer

Row = dict[str, Any]

FOLDER = Path(__file__).parent / "goldens"
AREAS = ("alerts", "groups", "lambdas", "windows", "writes")
LIMIT_S = 30.0


def _rows(area: str) -> dict[str, Row]:
    lines = (FOLDER / f"{area}.jsonl").read_text().splitlines()
    return {row["name"]: row for row in map(json.loads, lines)}


ROWS = {area: _rows(area) for area in AREAS}

# the wanted response in place of the recorded one, given that and the actual one
Change = Callable[[Row, Row], Row]


def _replaced(**texts: str) -> Change:
    """Other values in the posts, as they are in JSON."""

    def change(row: Row, found: Row) -> Row:
        told = _dumped(row["posts"])
        for old, new in texts.items():
            assert old in told
            told = told.replace(old, new)
        return {"posts": json.loads(told)}

    return change


def _delivered(reason: str) -> Change:
    """The task continues, and each message has its reason."""

    def change(row: Row, found: Row) -> Row:
        posts = json.loads(_dumped(ROWS["alerts"]["a20"]["posts"]))
        for post in posts:
            post["message"] = f"{post['id']} is {post['level']} ({reason})"
        return {"task": [True, ""], "errors": {"alert2": len(posts)}, "posts": posts}

    return change


def _once(row: Row, found: Row) -> Row:
    """No point twice."""
    return {"posts": list({_dumped(post): post for post in row["posts"]}.values())}


def _ends_of_windows(row: Row, found: Row) -> Row:
    """The sums of three windows at their ends."""
    posts = json.loads(_dumped(row["posts"]))
    for number, post in enumerate(posts, 1):
        post["series"][0]["values"][0][0] = f"1970-01-01T00:00:{number}0Z"
    return {"posts": posts}


def _nulls(count: int, **errors: int) -> Change:
    """More posts, each with a number that JSON lacks as null."""

    def change(row: Row, found: Row) -> Row:
        more = [post for post in found["posts"] if "null" in _dumped(post)]
        assert len(more) == count
        posts = sorted(row["posts"] + more, key=_time)
        return {"errors": errors, "posts": posts}

    return change


def _both(*changes: Change) -> Change:
    """One change after the other."""

    def change(row: Row, found: Row) -> Row:
        for each in changes:
            row = row | each(row, found)
        return row

    return change


def _time(post: Any) -> str:
    time: str = (post.get("data") or post)["series"][0]["values"][0][0]
    return time


# deliberate differences of this server; docs/differences.md explains them
DIFFERENCES: Mapping[str, Change] = {
    # a message that cannot be rendered is replaced, and the alert is delivered
    "a24": _delivered(
        'template: message:1:95: executing "message" at <nil>: nil is not a command'
    ),
    "a29": _delivered(
        'template: message:1:3: executing "message" at <.Nope>:'
        " can't evaluate field Nope in type kapacitor.messageInfo"
    ),
    "a26": _delivered(
        'template: message:1:59: executing "message" at <2>:'
        " range can't iterate over ab"
    ),
    "a28": _delivered(
        'template: message:1:3: executing "message" at <eq .Fields.v 12>:'
        " error calling eq: incompatible types for comparison: float64 and int"
    ),
    "a34": _delivered(
        'template: message:1:3: executing "message" at <index .Tags 1>:'
        " error calling index: value has type int; should be string"
    ),
    "a35": _delivered(
        'template: message:1:3: executing "message" at <call .Time.Unix>:'
        " error calling call: non-function .Time.Unix of type int64"
    ),
    # of two fields that flatten to one name the last by name wins, not any
    "fl3": _replaced(**{'"b2", 2]': '"b2", "c2"]', '"a3", 3,': '"a3", "b3",'}),
    # a point passes one of several from() once
    "g11": _once,
    # an event whose trigger was suppressed by flapping has lasted for 0 s
    "m8": _replaced(**{str(2**63 - 1): "0"}),
    # the last digit of exp(1.5)
    "math1": _both(_replaced(**{"4.481689070338065": "4.4816890703380645"}), _nulls(2)),
    # the time of an aggregate is not that of a point
    "u_sum": _ends_of_windows,
    # numbers that JSON lacks are null, and lose neither posts nor alerts
    "math2": _nulls(3),
    "divf": _nulls(3),
    "conv4": _nulls(3, eval2=3),
    "nanalert": _nulls(3, alert3=3),
    "st_stddev": _nulls(38),
}


class Server:
    """The API of a server, over one connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=LIMIT_S
        )

    def __call__(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._connection.request(
            method, f"/kapacitor/v1{path}", None if body is None else data
        )
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode()

    def close(self) -> None:
        self._connection.close()

    def json(self, method: str, path: str, body: object = None) -> Any:
        return json.loads(self(method, path, body)[1] or "null")


class Sink:
    """The recording server that all rows of an area post to, each to its own path."""

    def __init__(self, loopback: LoopbackServer) -> None:
        self._loopback = loopback
        self._posts: dict[str, list[Any]] = defaultdict(list)

    def url(self, name: str) -> str:
        return f"{self._loopback.url}/{name}"

    def posts(self) -> Mapping[str, list[Any]]:
        """Requests received until now."""
        while not self._loopback.received.empty():
            request = self._loopback.next()
            self._posts[request.path.removeprefix("/")].append(request.json)
        return self._posts


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def run(rows: Mapping[str, Row], kapacitord: Any) -> dict[str, Row]:
    """Let every row happen in a server, and stop it; in the form of the recording."""
    with (
        LoopbackServer() as loopback,
        contextlib.closing(Server(kapacitord.port)) as server,
    ):
        sink = Sink(loopback)
        found = {
            name: _begin(server, row, sink.url(name)) for name, row in rows.items()
        }
        for name, row in rows.items():
            found[name] |= _looked_at(server, row)
        for name in rows:
            server("PATCH", f"/tasks/{name}", {"status": "disabled"})
        _until(lambda: _has_all(sink.posts(), rows) and not _pending(server))
        kapacitord.stop()  # posts that are under way end first
        posts = sink.posts()
    for name in rows:
        found[name]["posts"] = posts.get(name, [])
    return found


def _begin(server: Server, row: Row, url: str) -> Row:
    name = row["name"]
    definition = {
        "id": name,
        "type": "stream",
        "dbrps": [{"db": name, "rp": "rp"}],
        "script": row["script"].replace("$SINK", url),
        "status": "enabled",
    }
    status, text = server("POST", "/tasks", definition)
    error = None if status == 200 else json.loads(text)["error"].replace(url, "$SINK")
    points = row["points"]
    query = f"/write?db={name}&rp=rp&precision={row.get('precision', 's')}"
    answers = [
        list(server("POST", query, lines.encode("utf-8", "surrogateescape")))
        for lines in (points if isinstance(points, list) else [points])
    ]
    return {"define": [status, error], "resp": answers}


def _looked_at(server: Server, row: Row) -> Row:
    name = row["name"]
    found: Row = {}
    for key in row:
        if key.startswith("out:"):
            path = f"/tasks/{name}/{key.removeprefix('out:')}"
            _until(lambda key=key, path=path: server.json("GET", path) == row[key])
            found[key] = server.json("GET", path)
    status, text = server("GET", f"/tasks/{name}")
    task = json.loads(text)
    if status != 200:
        return found | {"task": [None, task["error"]], "errors": {}}
    nodes = (task["stats"] or {}).get("node-stats", {})
    errors = {node: stats["errors"] for node, stats in nodes.items() if stats["errors"]}
    return found | {"task": [task["executing"], task["error"]], "errors": errors}


def _pending(server: Server) -> bool:
    deliveries = server.json("GET", "/deliveries?state=pending&limit=1")["deliveries"]
    return bool(deliveries)


def _has_all(posts: Mapping[str, list[Any]], rows: Mapping[str, Row]) -> bool:
    return all(
        len(posts.get(name, ())) >= len(_expected(row)) for name, row in rows.items()
    )


def _expected(row: Row) -> list[Any]:
    """The posts that come at least, so that nothing waits for one that never does."""
    is_fewer = DIFFERENCES.get(row["name"]) is _once
    posts: list[Any] = (_once(row, {}) if is_fewer else row)["posts"]
    return posts


def _until(is_so: Callable[[], bool]) -> None:
    """Wait for what then is compared; a test that fails waits longest."""
    deadline = time.monotonic() + 30
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.01)


def _wanted(row: Row, found: Row) -> Row:
    usual = {
        "define": [200, None],
        "resp": [[204, ""]]
        * (len(row["points"]) if isinstance(row["points"], list) else 1),
        "task": [True, ""],
        "errors": {},
    }
    told = {
        key: row[key]
        for key in row
        if key not in ("name", "script", "points", "precision")
    }
    wanted = usual | told
    change = DIFFERENCES.get(row["name"])
    return wanted if change is None else wanted | change(wanted, found)


def _compared(posts: list[Any], row: Row) -> dict[str, list[Any]]:
    """Posts by event or group: the order between these is not fixed.

    Neither is it between the handlers of one alert.
    """
    found = defaultdict(list)
    for post in posts:
        found[_key(post)].append(_named_now(post))
    if row["script"].count("$SINK") > 1:
        return {key: sorted(found[key], key=_dumped) for key in found}
    return dict(found)


def _named_now(post: Any) -> Any:
    """Return the post with `NOW` in place of the last minutes."""
    for series in post.get("series") or ():
        for values in series.get("values", ()):
            if values[0] != "NOW" and _age(values[0]) < timedelta(minutes=5):
                values[0] = "NOW"
    return post


def _age(time: str) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(time[:19] + "+00:00")


def _key(post: Any) -> str:
    if "id" in post:
        return post["id"]
    return json.dumps(
        [[row.get("name"), row.get("tags")] for row in post.get("series") or []]
    )


@pytest.fixture(scope="module")
def recorded(
    request: pytest.FixtureRequest, start_shared_kapacitord
) -> Callable[[str], dict[str, Row]]:
    """Results of the selected rows of an area."""
    asked: dict[str, list[str]] = defaultdict(list)
    for item in request.session.items:
        if item.path == request.path:
            asked[item.callspec.params["area"]].append(item.callspec.params["name"])
    found: dict[str, dict[str, Row]] = {}

    def get(area: str) -> dict[str, Row]:
        if area not in found:
            rows = {name: ROWS[area][name] for name in asked[area]}
            found[area] = run(rows, start_shared_kapacitord())
        return found[area]

    return get


@pytest.mark.parametrize(
    ("area", "name"), [(area, name) for area in AREAS for name in ROWS[area]]
)
def test_golden(area: str, name: str, recorded) -> None:
    row, came = ROWS[area][name], recorded(area)[name]
    found, wanted = dict(came), _wanted(row, came)
    posts, wanted_posts = found.pop("posts"), wanted.pop("posts")
    assert found == wanted
    assert _compared(posts, row) == _compared(wanted_posts, row)
