"""A database from when joins and unions took one number, in the current server."""

import asyncio
import logging
import sqlite3

import pytest

from runtime.testing.loopback import LoopbackServer

DBRP = [{"db": "d", "rp": "r"}]
# today alert5 and alert6, formerly alert4 and alert5
JOINED = (
    "var a = stream|from().measurement('a')\n"
    "var b = stream|from().measurement('b')\n"
    "a|join(b).as('a', 'b')\n"
    "    |alert().id('first').crit(lambda: \"a.v\" > 0).post('{url}/first')\n"
    "    |alert().id('second').crit(lambda: TRUE).post('{url}/second')"
)
ALONE = (
    "stream|from().measurement('a')|alert().id('x').crit(lambda: TRUE).post('{url}/x')"
)


@pytest.fixture
def server():
    with LoopbackServer(status=503) as server:
        yield server


def levels(api, topic):
    found = api.json("GET", f"/alerts/topics/{topic}/events")["events"]
    return {each["id"]: each["state"]["level"] for each in found}


def numbered_as_before(path):
    """Give the topics of a database the names they had."""
    with sqlite3.connect(path) as database:
        for old, new in (("alert4", "alert5"), ("alert5", "alert6")):
            names = f"main:joined:{old}", f"main:joined:{new}"
            for table, column in (("topics", "id"), ("deliveries", "topic")):
                database.execute(
                    f"UPDATE {table} SET {column} = ? WHERE {column} = ?", names
                )
        database.execute("DELETE FROM entries WHERE bucket = 'numbering'")
    database.close()


def test_states_and_deliveries_follow_the_nodes(config, start_api, server, caplog):
    api = start_api(config)
    for id, script in (("joined", JOINED), ("alone", ALONE)):
        task = {"id": id, "dbrps": DBRP, "status": "enabled", "type": "stream"}
        task["script"] = script.replace("{url}", server.url)
        api.json("POST", "/tasks", task)
    handler = {"id": "mine", "kind": "publish", "options": {"topics": ["t"]}}
    api.json("POST", "/alerts/topics/main:joined:alert4/handlers", handler)
    lines = "a v=1 1\nb v=1 1\na v=1 2\nb v=1 2"
    assert api.ask("POST", "/write?db=d&rp=r&precision=s", lines)[0] == 204
    assert levels(api, "main:joined:alert5") == {"first": "CRITICAL"}

    def meanwhile():
        while not server.received.empty():
            server.next()
        server.status = 200
        numbered_as_before(config.storage.boltdb)

    with caplog.at_level(logging.WARNING):
        api.restart(meanwhile)
    assert levels(api, "main:joined:alert5") == {"first": "CRITICAL"}
    assert levels(api, "main:joined:alert6") == {"second": "CRITICAL"}
    assert levels(api, "main:alone:alert2") == {"x": "CRITICAL"}
    requests = [api.run(asyncio.to_thread(server.next)) for _ in range(6)]
    told = sorted((r.path, r.json["id"], r.json["time"][-3:]) for r in requests)
    assert told == [
        *(("/first", "first", "01Z"), ("/first", "first", "02Z")),
        *(("/second", "second", "01Z"), ("/second", "second", "02Z")),
        *(("/x", "x", "01Z"), ("/x", "x", "02Z")),
    ]
    [warning] = [r for r in caplog.records if "alert node was renamed" in r.message]
    assert (warning.handler, warning.topic_now) == ("mine", "main:joined:alert5")
    # once for each database
    caplog.clear()
    api.restart()
    assert levels(api, "main:joined:alert6") == {"second": "CRITICAL"}
    assert not [r for r in caplog.records if "alert node was renamed" in r.message]
