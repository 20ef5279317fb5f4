"""From a new name to a delivered alert: the product, end to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.testing.loopback import LoopbackServer

TIMEOUT_S = 10.0
SPEC = """\
[handler]
name = "night_clarion"
title = "Clarion"
summary = "Calls people through Clarion."
flags = ["enabled", "global", "state-changes-only"]

[config]
url = { required = "enabled", error = "must specify url", check = "url", doc = "the API's URL." }
api-key = { secret = true, doc = "the key of the API." }
team = { doc = "the team that is called." }

[option]
team = { default = "config.team", doc = "the team that is called." }
urgent = { type = "flag", doc = "whether to wake people up." }

[level.tone]
CRITICAL = "siren"
default = "bell"

[[request]]
url = "${config.url}"
path = ["teams", "${opt.team}", "calls"]
auth = { scheme = "Key", token = "config.api_key" }
[request.json]
text = "${event.message}"
tone = "${level.tone}"
urgent = "${opt.urgent}"
tags = "${event.tags}"

[response]
ok = [201]
error = "reason"
message = "clarion said ${error}"

[test]
team = "${config.team}"
message = "test clarion message"
level = "CRITICAL"
"""


def run(directory: Path, *command: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=directory,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an integration that has a spec of its own."""
    directory = tmp_path_factory.mktemp("whole") / "alerts"
    run(directory.parent, "scaffold", "init", str(directory))
    (directory / "clarion.toml").write_text(SPEC)
    run(directory, "scaffold", "new-handler", "night_clarion", "--spec", "clarion.toml")
    return directory


def test_its_generated_tests_pass(project: Path) -> None:
    out = run(project, "pytest", "-q", "tests/alerts/services/night_clarion")
    assert " passed" in out


def test_check_finds_nothing_to_say(project: Path) -> None:
    assert "1 handler " in run(project, "scaffold", "check")


def test_it_delivers_from_scripts_and_topic_handlers(project, start_kapacitord) -> None:
    with LoopbackServer(status=201) as clarion:
        section = f"""\
[night_clarion]
  enabled = true
  url = "{clarion.url}/v1"
  api-key = "k-1"
  team = "night"
"""
        server = start_kapacitord(section, cwd=project)
        script = (
            "stream|from().measurement('cpu')|alert().id('cpu').message('{{ .Level }}')"
            ".crit(lambda: \"idle\" < 10).nightClarion().team('day').urgent()"
        )
        task = {
            "id": "t",
            "type": "stream",
            "dbrps": [{"db": "d", "rp": "r"}],
            "script": script,
            "status": "enabled",
        }
        server.json("POST", "/tasks", task)
        server.write("cpu,host=a idle=3 1", "db=d&rp=r")
        request = clarion.next(TIMEOUT_S)
        assert (request.path, request.headers["Authorization"]) == (
            "/v1/teams/day/calls",
            "Key k-1",
        )
        assert json.loads(request.body) == {
            "text": "CRITICAL",
            "tone": "siren",
            "urgent": True,
            "tags": {"host": "a"},
        }

        handler = {"id": "h", "kind": "night_clarion", "options": {"urgent": False}}
        server.json("POST", "/alerts/topics/cpu/handlers", handler)
        topic_script = script.partition(".nightClarion()")[0] + ".topic('cpu')"
        server.json("POST", "/tasks", {**task, "id": "u", "script": topic_script})
        server.json("PATCH", "/tasks/t", {"status": "disabled"})
        server.write("cpu,host=b idle=60 2\ncpu,host=b idle=2 3", "db=d&rp=r")
        request = clarion.next(TIMEOUT_S)
        assert request.path == "/v1/teams/night/calls"
        assert json.loads(request.body)["urgent"] is False


def test_service_test_and_config_api_know_it(project, start_kapacitord) -> None:
    with LoopbackServer(status=201) as clarion:
        server = start_kapacitord(cwd=project)
        settings = {"enabled": True, "url": clarion.url, "api-key": "k-2", "team": "x"}
        server.json("POST", "/config/night_clarion/", {"set": settings})
        shown = server.json("GET", "/config/night_clarion/")
        assert (shown["options"]["api-key"], shown["redacted"]) == (True, ["api-key"])
        assert (
            server.json("GET", "/service-tests/night_clarion")["options"]["team"] == "x"
        )
        result = server.json("POST", "/service-tests/night_clarion", {"team": "y"})
        assert result == {"success": True, "message": ""}
        assert clarion.next(TIMEOUT_S).path == "/teams/y/calls"
        clarion.status, clarion.body = 403, '{"reason":"no credit"}'
        result = server.json("POST", "/service-tests/night_clarion", {})
        assert result == {"success": False, "message": "clarion said no credit"}
