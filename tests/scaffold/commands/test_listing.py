"""`scaffold list`: the handlers of a project, as text and as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scaffold.places import CREATE, EDIT

Run = Callable[..., "subprocess.CompletedProcess[str]"]
LONG = "some_service_whose_long_name_counts_fort"
SERVICES = "runtime/integrations/services.py"


def states(scaffold: Run) -> dict[tuple[str, str, str], str]:
    """The state of each file and registration, by handler, path and place."""
    told = json.loads(scaffold("list", "-v", "--json").stdout)
    return {
        (each["kind"], place["path"], place["place"]): place["state"]
        for each in told["handlers"]
        for place in each["places"]
    }


@pytest.fixture
def spoiled(scaffold: Run, project: Path) -> Path:
    """A project in which some places are not as they were generated."""
    scaffold("new-handler", LONG, "--field", "channel:str")
    (project / "runtime/services/foo/config.py").unlink()
    page = project / "docs/handlers/hipchat.md"
    page.write_text(page.read_text() + "Mine.\n")
    services = project / SERVICES
    entry = '    "foo": "runtime.services.foo.service:Service",\n'
    services.write_text(services.read_text().replace(entry, entry * 2))
    return project


def test_the_matrix_shows_every_place_of_every_handler(
    scaffold: Run, spoiled: Path
) -> None:
    table, matrix, signs, *legend = scaffold("list", "-v").stdout.split("\n\n")
    assert table + "\n" == scaffold("list").stdout
    labels, *rows = matrix.splitlines()
    width = len(LONG)
    count = len(CREATE) + 1 + len(EDIT)
    assert len(labels[width:].replace(" ", "")) == count
    by_label = {
        row[:width].rstrip(): dict(zip(labels[width:], row[width:], strict=False))
        for row in rows
    }
    assert set(by_label) == {"foo", "hipchat", LONG}
    names = [word for line in legend[0].splitlines() for word in line.split("  ")]
    label = {name[2:]: name[0] for name in names if name[1:2] == " "}
    assert by_label["foo"][label["config.py"]] == "-"
    assert by_label["foo"][label["service"]] == "2"
    assert by_label["hipchat"][label["NAME.md"]] == "e"
    assert by_label[LONG][label["NAME.md"]] == "."
    assert signs.splitlines()[1:] == [
        "missing: foo: runtime/services/foo/config.py",
        f"doubled: foo: {SERVICES} service `foo`",
        "edited: hipchat: docs/handlers/hipchat.md",
    ]


def test_the_matrix_fits_a_terminal(scaffold: Run, spoiled: Path) -> None:
    _, matrix, _, legend = scaffold("list", "-v").stdout.split("\n\n")
    assert max(map(len, [*matrix.splitlines(), *legend.splitlines()])) <= 80


def test_the_matrix_for_machines(scaffold: Run, spoiled: Path) -> None:
    found = states(scaffold)
    assert len(found) == 3 * (len(CREATE) + 1 + len(EDIT))
    wrong = {each: state for each, state in found.items() if state != "present"}
    assert {each: state for each, state in wrong.items() if state != "unused"} == {
        ("foo", "runtime/services/foo/config.py", "file"): "missing",
        ("foo", SERVICES, "service"): "doubled",
        ("hipchat", "docs/handlers/hipchat.md", "file"): "edited",
    }
    told = json.loads(scaffold("list", "--json").stdout)
    assert "places" not in told["handlers"][0]


def test_the_matrix_needs_no_rendering(scaffold: Run, project: Path) -> None:
    code = (
        "import sys; from scaffold import cli\n"
        "try: cli.main(['list', '-v', '-q'])\n"
        "except SystemExit: print({'jinja2', 'libcst', 'black'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "set()"
