"""The kinds in a running server: over HTTP and in scripts."""

import asyncio
import json

import pytest

from runtime.integrations.bundled import INTEGRATIONS
from runtime.services.httppost.config import Config as HttpPostConfig
from runtime.testing.loopback import LoopbackServer

SCRIPT = "stream\n|from()\n|alert().crit(lambda: TRUE).id('e').details('d')"


def task(handlers, id="t", **more):
    return {
        "id": id,
        "dbrps": [{"db": "d", "rp": "r"}],
        "script": SCRIPT + handlers,
        "status": "enabled",
        **more,
    }


def write(api, lines):
    answer = api.answer("POST", "/kapacitor/v1/write?db=d&rp=r", lines)
    assert answer.status == 204, answer.body


def received(api, server):
    return api.run(asyncio.to_thread(server.next))


def settle(api, path, text):
    """Wait until a file says something."""

    async def wait():
        async with asyncio.timeout(10):
            while not path.exists() or not path.read_text().endswith(text):
                await asyncio.sleep(0.01)

    api.run(wait())
    return path.read_text()


def test_a_script_logs_runs_and_posts(api, tmp_path):
    with LoopbackServer() as server:
        out = tmp_path / "exec"
        handlers = (
            f".log('{tmp_path}/log').exec('sh', '-c', 'cat > {out}')"
            f".post('{server.url}/p').header('X-A', 'b')"
        )
        api.json("POST", "/tasks", task(handlers))
        write(api, "cpu v=1 1000000000")
        request = received(api, server)
        assert request.headers["X-A"] == "b"
        assert settle(api, out, "}\n") == request.text
        assert settle(api, tmp_path / "log", "}\n") == request.text


def test_events_go_from_topic_to_topic(api):
    with LoopbackServer() as server:
        url = f"{server.url}/p"
        for topic, handler in (
            ("a", {"id": "p", "kind": "publish", "options": {"topics": ["b"]}}),
            (
                "b",
                {
                    "id": "g",
                    "kind": "aggregate",
                    "options": {"interval": 500_000_000, "topic": "c", "id": "all"},
                },
            ),
            ("c", {"id": "post", "kind": "post", "options": {"url": url}}),
        ):
            path = f"/alerts/topics/{topic}/handlers"
            shown = api.json("POST", path, handler)
            assert shown["options"] == handler["options"]
        api.json("POST", "/tasks", task(".topic('a')"))
        write(api, "cpu v=1 1\ncpu v=2 2\ncpu v=3 3")
        event = received(api, server).json
        assert event["id"] == "all"
        assert event["message"] == "Received 3 events in the last 500ms."
        assert event["recoverable"] is False
        [shown] = api.json("GET", "/alerts/topics/b/events")["events"]
        assert shown["state"]["level"] == "CRITICAL"


@pytest.mark.parametrize(
    ("handlers", "text"),
    [
        (
            ".log('rel')",
            "failed to create log alert handler: log path must be absolute: rel is not "
            "absolute",
        ),
        (
            ".log('/x').mode(0400)",
            "failed to create log alert handler: invalid file mode -r--------, must be "
            "user writable",
        ),
        (".post()", "Either URL or endpoint must be non-empty"),
    ],
)
def test_a_handler_that_cannot_be_made_stops_the_start(api, handlers, text):
    assert api.ask("POST", "/tasks", task(handlers)) == (500, text)
    shown = api.json("GET", "/tasks/t")
    assert (shown["status"], shown["executing"]) == ("enabled", False)
    assert shown["error"] == text


def test_an_endpoint_is_configured_while_the_server_runs(api):
    with LoopbackServer() as server:
        options = {"endpoint": "e", "url": server.url + "/a"}
        assert api.ask("POST", "/config/httppost", {"add": options})[0] == 204
        update = {"set": {"basic-auth": {"username": "u", "password": "p4ssw0rd"}}}
        assert api.ask("POST", "/config/httppost/e", update)[0] == 204
        status, text = api.ask("GET", "/config/httppost/e")
        shown = json.loads(text)
        assert status == 200
        assert shown["options"]["basic-auth"] is True
        assert shown["redacted"] == ["basic-auth"]
        assert "p4ssw0rd" not in text
        api.json("POST", "/tasks", task(".post().endpoint('e')"))
        write(api, "cpu v=1 1")
        request = received(api, server)
        assert request.path == "/a"
        assert request.headers["Authorization"].startswith("Basic ")


def test_headers_that_hold_keys_are_hidden_and_may_be_sent_back(api):
    headers = {"Authorization": "Bearer x", "X-Team": "ops"}
    shown = {"Authorization": "***", "X-Team": "ops"}
    with LoopbackServer() as server:
        added = {"endpoint": "e", "url": server.url, "headers": headers}
        api.ask("POST", "/config/httppost", {"add": added})
        _, text = api.ask("GET", "/config/httppost/e")
        assert json.loads(text)["options"]["headers"] == shown
        api.ask("POST", "/config/httppost/e", {"set": {"headers": shown}})
        path = "/alerts/topics/t/handlers"
        handler = {
            "id": "h",
            "kind": "post",
            "options": {"endpoint": "e", "headers": {"X-Api-Key": "k"}},
        }
        hidden = api.json("POST", path, handler)
        assert hidden["options"]["headers"] == {"X-Api-Key": "***"}
        api.json("PUT", f"{path}/h", hidden)
        api.json("POST", "/tasks", task(".topic('t')"))
        write(api, "cpu v=1 1")
        request = received(api, server)
        assert request.headers["Authorization"] == "Bearer x"
        assert request.headers["X-Api-Key"] == "k"


def test_endpoints_of_the_file_are_checked_with_their_section(config):
    config.handlers = INTEGRATIONS.tables(httppost=(HttpPostConfig("e"),))
    with pytest.raises(Exception, match="httppost: must specify url"):
        config.validate()


def test_the_post_test_is_listed_and_runs(api):
    shown = api.json("GET", "/service-tests/httppost")
    assert shown["options"] == {
        "endpoint": "example",
        "url": "http://localhost:3000/",
        "headers": {"Auth": "secret"},
        "timeout": 0,
    }
    with LoopbackServer() as server:
        said = api.json("POST", "/service-tests/httppost", {"url": server.url})
    assert said == {"success": True, "message": ""}


def test_a_disabled_kind_is_stored_and_shown_but_does_not_run(config, start_api):
    api = start_api(config, disabled_handlers=frozenset(["exec"]))
    path = "/alerts/topics/t/handlers"
    handler = {"id": "h", "kind": "exec", "options": {"nope": 1}, "match": "bogus("}
    assert api.json("POST", path, handler)["options"] == {"nope": 1}
    assert api.json("GET", f"{path}/h")["kind"] == "exec"
    assert [each["id"] for each in api.json("GET", path)["handlers"]] == ["h"]
    status, text = api.ask("POST", path, handler)
    assert status == 500
    assert text.endswith('handler with ID "h" already exists')
    assert api.ask("GET", "/alerts/topics/t")[0] == 404
    changed = {**handler, "options": {"prog": "/x"}}
    assert api.json("PUT", f"{path}/h", changed)["options"] == {"prog": "/x"}
    patch = [{"op": "replace", "path": "/match", "value": "TRUE"}]
    assert api.json("PATCH", f"{path}/h", patch)["match"] == "TRUE"
    assert api.ask("DELETE", f"{path}/h") == (204, "")
    assert api.ask("GET", f"{path}/h")[0] == 404


def test_a_handler_may_become_one_of_a_disabled_kind(config, start_api, tmp_path):
    api = start_api(config, disabled_handlers=frozenset(["exec"]))
    path = "/alerts/topics/t/handlers"
    log = {"id": "h", "kind": "log", "options": {"path": str(tmp_path / "log")}}
    api.json("POST", path, log)
    api.json("PUT", f"{path}/h", {"id": "h", "kind": "exec"})
    api.json("POST", "/tasks", task(".topic('t')"))
    write(api, "cpu v=1 1")
    assert api.json("GET", "/alerts/topics/t")["collected"] == 1
    assert not (tmp_path / "log").exists()


def test_disabled_kinds_run_in_scripts(config, start_api, tmp_path):
    api = start_api(config, disabled_handlers=frozenset(["exec"]))
    out = tmp_path / "exec"
    api.json("POST", "/tasks", task(f".exec('sh', '-c', 'cat > {out}')"))
    write(api, "cpu v=1 1")
    assert settle(api, out, "}\n")


def test_what_was_gathered_before_a_restart_is_told_after_it(config, start_api):
    with LoopbackServer() as server:
        api = start_api(config)
        options = {"interval": 300_000_000, "topic": "c"}
        api.json(
            "POST",
            "/alerts/topics/a/handlers",
            {"id": "g", "kind": "aggregate", "options": options},
        )
        post = {"id": "post", "kind": "post", "options": {"url": server.url}}
        api.json("POST", "/alerts/topics/c/handlers", post)
        api.json("POST", "/tasks", task(".topic('a')"))
        write(api, "cpu v=1 1\ncpu v=2 2")
        api.restart()
        said = received(api, server).json["message"]
        assert said == "Received 2 events in the last 300ms."
