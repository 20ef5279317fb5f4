"""Handlers that untrusted clients may define."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

from runtime.server.config.sections import AlertConfig, HttpConfig

TASK = {"id": "cpu", "type": "stream", "dbrps": [{"db": "d", "rp": "r"}]}
# a name for loopback that the server does not take for one
EXPOSED = HttpConfig(bind_address="127.1:0", log_enabled=False)


def script(handler: str) -> dict[str, object]:
    text = f"stream|from()|alert().crit(lambda: TRUE){handler}"
    return {**TASK, "script": text, "status": "disabled"}


@pytest.mark.parametrize("kind", ["log", "exec", "tcp"])
def test_strangers_define_no_handler_that_reaches_into_the_machine(
    config: Any, start_api: Any, kind: str, tmp_path: Path
) -> None:
    options = {
        "log": {"PATH": "/etc/cron.d/x"},
        "exec": {"prog": "/bin/sh"},
        "tcp": {"address": "169.254.169.254:80"},
    }[kind]
    said = {
        "log": ".log('/etc/cron.d/x')",
        "exec": ".exec('/bin/sh', '-c')",
        "tcp": ".tcp('169.254.169.254:80')",
    }[kind]
    config.http = EXPOSED
    exposed = start_api(config)
    spec = {"id": "h", "kind": kind, "options": options}
    status, text = exposed.ask("POST", "/alerts/topics/t/handlers", spec)
    assert (status, text.partition(":")[0]) == (403, "failed to create handler")
    assert "[alert] allowed-" in text
    assert exposed.ask("POST", "/tasks", script(said))[0] == 403
    assert exposed.json("GET", "/tasks")["tasks"] == []
    assert exposed.ask("POST", "/tasks", script(""))[0] == 200
    assert exposed.ask("PATCH", "/tasks/cpu", script(said))[0] == 403
    assert exposed.ask("PATCH", "/tasks/cpu", script(".id('x')"))[0] == 200
    assert exposed.ask("GET", "/alerts/topics/t/handlers/h")[0] == 404


def test_a_template_does_not_help_strangers(config: Any, start_api: Any) -> None:
    config.http = EXPOSED
    exposed = start_api(config)
    text = "var path = '/tmp/x'\nstream|from()|alert().crit(lambda: TRUE)"
    template = {"id": "t", "type": "stream", "script": text}
    assert exposed.ask("POST", "/templates", template)[0] == 200
    task = {"id": "a", "template-id": "t", "dbrps": TASK["dbrps"]}
    assert exposed.ask("POST", "/tasks", task)[0] == 200
    assert exposed.ask("PATCH", "/templates/t", {"script": f"{text}.log(path)"}) == (
        403,
        "error reloading associated task a: log handlers may not use /tmp/x: the API "
        "can be reached from other machines without credentials; require them, or name "
        "it in [alert] allowed-log-paths",
    )
    assert ".log(" not in exposed.json("GET", "/templates/t")["script"]
    assert ".log(" not in exposed.json("GET", "/tasks/a")["script"]


def test_what_is_named_no_more_waits(
    config: Any, start_api: Any, tmp_path: Path, caplog: Any
) -> None:
    config.http = EXPOSED
    with_list = dataclasses.replace(AlertConfig(), allowed_log_paths=(str(tmp_path),))
    config.alert = with_list
    api = start_api(config)
    path = tmp_path / "alerts.log"
    spec = {"id": "h", "kind": "log", "options": {"path": str(path)}}
    assert api.ask("POST", "/alerts/topics/t/handlers", spec)[0] == 200
    task = {**script(".topic('t')"), "status": "enabled"}
    assert api.ask("POST", "/tasks", task)[0] == 200

    def deliver(met: Any) -> None:
        assert api.answer("POST", "/write?db=d&rp=r", "m value=1").status == 204
        api.until(met)

    def waiting() -> list[Any]:
        found = api.json("GET", "/deliveries?state=pending")["deliveries"]
        return [each for each in found if each["error"]]

    deliver(path.exists)
    config.alert = AlertConfig()
    api.restart()
    assert "handler is no longer allowed" in caplog.text
    written = path.read_text()
    deliver(waiting)
    assert waiting()[0]["error"].startswith("log handlers may not use ")
    assert path.read_text() == written
    shown = api.json("GET", "/alerts/topics/t/handlers/h")
    assert shown["options"] == {"path": str(path)}

    config.alert = with_list
    api.restart()
    deliver(lambda: not api.json("GET", "/deliveries")["deliveries"])
    assert len(path.read_text().splitlines()) == 3


def test_what_the_configuration_names_is_allowed(
    config: Any, start_api: Any, tmp_path: Path
) -> None:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (tmp_path / "other").mkdir()
    (allowed / "link").symlink_to(tmp_path / "other")
    os.mkfifo(allowed / "pipe")
    (allowed / "file").symlink_to("/etc/hostname")
    config.http = EXPOSED
    config.alert = dataclasses.replace(
        AlertConfig(),
        allowed_log_paths=(str(allowed),),
        allowed_programs=("/bin/true",),
        allowed_tcp_addresses=("127.0.0.1:9",),
    )
    exposed = start_api(config)

    def status(kind: str, **options: str) -> int:
        spec = {"id": "h", "kind": kind, "options": options}
        answer, _ = exposed.ask("POST", f"/alerts/topics/{kind}/handlers", spec)
        exposed.ask("DELETE", f"/alerts/topics/{kind}/handlers/h")
        return int(answer)

    assert status("log", path=str(allowed / "alerts.log")) == 200
    assert status("log", path=f"{allowed}/../other/x") == 403
    assert status("log", path=str(allowed / "link" / "x")) == 403
    assert status("log", path=f"{allowed}-not/x") == 403
    assert status("log", path=str(allowed / "pipe")) == 403
    assert status("log", path=str(allowed / "file")) == 403
    assert status("log", path="/etc/cron.d/x") == 403
    assert status("log", path="relative") == 500
    assert status("exec", prog="true") == 403
    assert exposed.ask("POST", "/tasks", script(f".log('{allowed}/a')"))[0] == 200
    program = script(".exec('/bin/true', 'x')")
    assert exposed.ask("PATCH", "/tasks/cpu", program)[0] == 200
    address = script(".tcp('127.0.0.1:9')")
    assert exposed.ask("PATCH", "/tasks/cpu", address)[0] == 200
