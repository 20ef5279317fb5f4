"""Explanations of files and lines."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ROOT = Path(__file__).parents[3]
SERVICE = "runtime/services/foo/service.py"
PAGE = "docs/handlers/foo.md"
KINDS = "runtime/integrations/kinds.py"
SPEC = "runtime/services/foo/handler.toml"


@pytest.fixture(autouse=True)
def changelog(project: Path) -> None:
    """Both handlers are in the changelog."""
    shutil.copy(ROOT / "CHANGELOG.md", project)


def line_of(project: Path, path: str, text: str) -> int:
    lines = (project / path).read_text().split("\n")
    return 1 + next(number for number, line in enumerate(lines) if text in line)


def explained(scaffold: Run, subject: str) -> dict[str, Any]:
    told = json.loads(scaffold("explain", subject, "--json").stdout)
    [source] = told["sources"]
    return dict(source)


def at(scaffold: Run, project: Path, path: str, text: str) -> dict[str, Any]:
    return explained(scaffold, f"{path}:{line_of(project, path, text)}")


def test_a_line_of_a_document(scaffold: Run, project: Path) -> None:
    source = at(scaffold, project, PAGE, "Posts alert messages")
    assert (source["handler"], source["role"]) == ("foo", "owned")
    assert source["template_line"] == {
        "template": "create/docs/handlers/KIND.md.j2",
        "line": 3,
    }
    [key] = source["keys"]
    assert (key["name"], key["line"]) == ("handler.summary", 6)
    assert (source["is_sure"], source["is_edited"], source["touches"]) == (
        True,
        False,
        False,
    )
    told = scaffold("explain", f"{PAGE}:3").stdout.splitlines()
    assert told == [
        "handler     foo",
        "template    create/docs/handlers/KIND.md.j2:3",
        "              {{ view.sentence|markdown }}",
        f"spec        handler.summary ({SPEC}:6)",
        "regenerate  leaves the line unchanged",
    ]


def test_a_line_of_python_that_was_laid_out(scaffold: Run, project: Path) -> None:
    source = at(scaffold, project, SERVICE, "            config.url,")
    assert source["template_line"]["template"] == "parts/request.py.j2"
    assert "request[1].url" in {key["name"] for key in source["keys"]}
    source = at(scaffold, project, SERVICE, "from runtime.golang.json import encode")
    assert source["template_line"]["template"] == "parts/imports.py.j2"


def test_a_line_of_a_shared_file(scaffold: Run, project: Path) -> None:
    source = at(
        scaffold,
        project,
        KINDS,
        '    "foo": "runtime.services.foo.handler:HandlerConfig",',
    )
    assert (source["handler"], source["place"], source["key"]) == ("foo", "kind", "foo")
    assert source["template"] == "edit/runtime/integrations/kinds/kind.py.j2"
    assert source["template_line"]["line"] == 1
    assert [key["name"] for key in source["keys"]] == ["handler.name"]
    path = "etc/kapacitor.conf"
    number = line_of(project, path, "[foo]")
    source = explained(scaffold, f"{path}:{number + 3}")
    [key] = source["keys"]
    assert (key["name"], key["is_sure"]) == ("config.url", False)
    told = scaffold("explain", f"{path}:{number + 3}").stdout
    assert f"config.url ({SPEC}:10, by its name)" in told
    told = scaffold("explain", f"{KINDS}:1").stdout
    assert "handlers are registered in this file, but not on this line" in told
    told = json.loads(scaffold("explain", KINDS, "--json").stdout)
    assert [(each["handler"], each["place"]) for each in told["sources"]] == [
        ("foo", "kind"),
        ("hipchat", "kind"),
    ]


def test_a_line_that_a_person_wrote(scaffold: Run, project: Path) -> None:
    file = project / SERVICE
    file.write_text(file.read_text().replace("    ok = ", "    mine = 1\n    ok = ", 1))
    source = at(scaffold, project, SERVICE, "    mine = 1")
    assert (source["is_edited"], source["touches"]) == (True, False)
    number = line_of(project, SERVICE, "    mine = 1")
    assert "edited by hand" in scaffold("explain", f"{SERVICE}:{number}").stdout
    # lines below it are found all the same
    source = at(scaffold, project, SERVICE, "    def failure")
    assert source["template_line"]["template"].endswith("KIND/service.py.j2")


def test_a_line_that_a_formatter_wrote(scaffold: Run, project: Path) -> None:
    file = project / SERVICE
    file.write_text(
        file.read_text().replace("    ok = (200,)", "    ok = (\n        200,\n    )")
    )
    number = line_of(project, SERVICE, "        200,")
    source = explained(scaffold, f"{SERVICE}:{number}")
    assert source["is_edited"] is False
    told = scaffold("explain", f"{SERVICE}:{number}").stdout
    assert "laid out in another way" in told


def test_what_regenerate_would_do(scaffold: Run, project: Path) -> None:
    spec = project / SPEC
    spec.write_text(spec.read_text().replace("posts alert", "sends alert"))
    number = line_of(project, PAGE, "Posts alert messages")
    source = explained(scaffold, f"{PAGE}:{number}")
    assert source["touches"] is True
    assert "Sends alert messages to a room" in source["regenerate"]
    assert explained(scaffold, f"{PAGE}:1")["touches"] is False
    told = scaffold("explain", PAGE).stdout
    assert "would change the file; scaffold regenerate -n --diff shows it" in told
    (project / PAGE).unlink()
    assert explained(scaffold, PAGE)["touches"] is True


def test_a_template_of_the_project_is_named(scaffold: Run, project: Path) -> None:
    scaffold("override", "KIND.md")
    copy = project / "templates/create/docs/handlers/KIND.md.j2"
    copy.write_text("\n" + copy.read_text())
    scaffold("regenerate", "--all")
    told = scaffold("explain", f"{PAGE}:4").stdout
    assert "template    templates/create/docs/handlers/KIND.md.j2:4\n" in told


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (SPEC, "the spec of the handler: yours"),
        (f"{SPEC}:2", "the spec of the handler: yours"),
        (".scaffold/handlers/foo/generated", "the record of the generated text"),
        ("pyproject.toml", "not generated"),
        ("pyproject.toml:1", "not generated"),
    ],
)
def test_other_files(scaffold: Run, project: Path, subject: str, text: str) -> None:
    assert text in scaffold("explain", subject).stdout


@pytest.mark.parametrize(
    ("subject", "problem"),
    [
        ("docs/nothing.md", "docs/nothing.md: no such file"),
        ("/etc/passwd", "'/etc/passwd': is not in the project"),
        ("../outside", "'../outside': is not in the project"),
        (f"{PAGE}:99999", "lines"),
        ("docs/nothing.md:3", "docs/nothing.md: no such file"),
    ],
)
def test_what_is_not_there_is_refused(
    scaffold: Run, project: Path, subject: str, problem: str
) -> None:
    assert problem in scaffold("explain", subject, code=2).stderr


def test_paths_are_seen_from_the_current_folder(scaffold: Run, project: Path) -> None:
    told = scaffold("explain", "foo.md:1", cwd=project / "docs/handlers").stdout
    assert "create/docs/handlers/KIND.md.j2:1" in told
    told = scaffold("explain", f"{PAGE}:1", cwd=project / "docs").stdout
    assert "create/docs/handlers/KIND.md.j2:1" in told
