"""Projects as plugins: two of them, built as wheels and installed beside one another."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from runtime.testing.loopback import LoopbackServer

ROOT = Path(__file__).parent.parent
TIMEOUT_S = 20.0
DBRPS = [{"db": "d", "rp": "r"}]
START = "stream|from().measurement('cpu')|alert().id('cpu').message('{{ .Level }}')"
CRITICAL = START + '.crit(lambda: "idle" < 10)'
# packages that only the generator needs
GENERATOR_ONLY = ("black", "click", "jinja2", "libcst")


def run(directory: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=directory,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of two projects: `alerts` with two handlers, `night` with one."""
    folder = tmp_path_factory.mktemp("projects")
    run(folder, "scaffold", "init", "alerts")
    run(folder, "scaffold", "init", "night", "--package", "watch")
    for project, handler in (
        ("alerts", "huddle"),
        ("alerts", "pager"),
        ("night", "bugle"),
    ):
        field = ("--field", "channel:str")
        run(folder / project, "scaffold", "new-handler", handler, *field)
    return folder


@pytest.fixture(scope="module")
def site(projects: Path) -> Path:
    """A folder with the content of both wheels, as an installation would have it."""
    made = projects / "wheels"
    run(
        projects,
        *("pip", "wheel", "-q", "--no-deps", "--no-build-isolation"),
        *("--disable-pip-version-check", "-w", str(made), "./alerts", "./night"),
    )
    wheels = sorted(made.glob("*.whl"))
    assert [wheel.name.partition("-")[0] for wheel in wheels] == ["alerts", "night"]
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(projects / "site")
    return projects / "site"


def sections(sink: LoopbackServer) -> str:
    return "".join(
        f'[{kind}]\n  enabled = true\n  url = "{sink.url}/{kind}"\n'
        f'  channel = "general"\n'
        for kind in ("huddle", "pager", "bugle")
    )


def task(id: str, script: str) -> dict[str, Any]:
    said = {"id": id, "type": "stream", "dbrps": DBRPS, "script": script}
    return {**said, "status": "enabled"}


@pytest.mark.parametrize(
    ("project", "count"), [("alerts", "2 handlers"), ("night", "1 handler")]
)
def test_a_project_is_in_order(projects: Path, project: str, count: str) -> None:
    assert count in run(projects / project, "scaffold", "check")
    assert " passed" in run(
        projects / project, "pytest", "-q", "-p", "no:cacheprovider"
    )


def test_handlers_of_two_wheels_deliver_side_by_side(
    site: Path, tmp_path: Path, start_kapacitord: Any, sink: LoopbackServer
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {"PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}
    server = start_kapacitord(sections(sink), cwd=elsewhere, environment=environment)
    for plugin in ("alerts (0.1.0)", "night (0.1.0)"):
        assert f'plugin="{plugin}"' in server.log
    script = f"{CRITICAL}.huddle().channel('ops').topic('cpu')"
    server.json("POST", "/tasks", task("t", script))
    handler = {"id": "h", "kind": "bugle", "options": {"channel": "night"}}
    server.json("POST", "/alerts/topics/cpu/handlers", handler)
    server.write("cpu,host=a idle=3 1", "db=d&rp=r")
    sent = [sink.next(TIMEOUT_S) for _ in range(2)]
    assert {each.path: json.loads(each.body)["channel"] for each in sent} == {
        "/huddle": "ops",
        "/bugle": "night",
    }

    change = {"set": {"channel": "changed"}}
    server.json("POST", "/config/pager/", change)
    options = server.json("GET", "/config/pager/")["options"]
    assert options["channel"] == "changed"
    assert server.json("POST", "/service-tests/pager", {})["success"]
    assert json.loads(sink.next(TIMEOUT_S).body)["channel"] == "changed"

    shown = server.cli("show", "t")
    assert ".huddle()\n" in shown
    assert "bugle" in server.cli("list", "topic-handlers")
    assert "pager" in server.cli("list", "service-tests")


def test_a_project_is_found_where_the_server_starts(
    projects: Path, start_kapacitord: Any, sink: LoopbackServer
) -> None:
    folder = projects / "night" / "examples" / "bugle"
    section = sections(sink).partition("[bugle]")[2]
    server = start_kapacitord(f"[bugle]{section}", cwd=folder)
    assert f"watch ({projects / 'night'})" in server.log
    server.json("POST", "/tasks", task("t", f"{CRITICAL}.bugle()"))
    server.write("cpu,host=a idle=3 1", "db=d&rp=r")
    assert sink.next(TIMEOUT_S).path == "/bugle"


def test_the_server_needs_nothing_that_only_the_generator_needs(
    tmp_path: Path, start_kapacitord: Any, sink: LoopbackServer
) -> None:
    for name in GENERATOR_ONLY:
        (tmp_path / f"{name}.py").write_text("raise ImportError('is not installed')\n")
    section = f'[foo]\n  enabled = true\n  url = "{sink.url}"\n'
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    server = start_kapacitord(section, environment={"PYTHONPATH": path})
    server.json("POST", "/tasks", task("t", f"{CRITICAL}.foo().room('r')"))
    server.write("cpu,host=a idle=3 1", "db=d&rp=r")
    assert json.loads(sink.next(TIMEOUT_S).body)["room"] == "r"
    page = (ROOT / "docs/production.md").read_text()
    [removed] = re.findall(r"pip uninstall -y (.+)", page)
    assert tuple(removed.split()) == GENERATOR_ONLY
