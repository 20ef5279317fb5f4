"""`scaffold check`: one finding hides no other, and each form of the report has them all."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scaffold.rendering import render as rendering
from scaffold.spec.model.handler import HandlerSpec
from tests.scaffold.files import edit
from tests.scaffold.repository import git

ROOT = Path(__file__).parents[3]
Run = Callable[..., "subprocess.CompletedProcess[str]"]
SERVICES = "runtime/integrations/services.py"
FOO, HIPCHAT = "runtime/services/foo", "runtime/services/hipchat"
RECORD = ".scaffold/handlers/{}/generated"
MARKERS = "<<<<<<< HEAD\na\n" + "=======\nb\n" + ">>>>>>> other\n"


@pytest.fixture(autouse=True)
def changelog(project: Path) -> None:
    """Both handlers are in the changelog."""
    shutil.copy(ROOT / "CHANGELOG.md", project)


def found(scaffold: Run, code: int = 1, **options: Path) -> list[tuple[str, str]]:
    """The codes and paths that `check` reports."""
    told = json.loads(scaffold("check", "--json", code=code, **options).stdout)
    return [(each["code"], each["path"]) for each in told["findings"]]


def test_a_spec_that_cannot_be_used_hides_no_other_handler(
    scaffold: Run, project: Path
) -> None:
    edit(project, f"{FOO}/handler.toml", 'bind = "create"', 'bind = "creat"')
    (project / HIPCHAT / "service.py").unlink()
    assert found(scaffold, code=2) == [
        ("SC115", f"{FOO}/handler.toml"),
        ("SC104", f"{HIPCHAT}/service.py"),
    ]
    told = scaffold("check", code=2).stderr
    assert "did you mean create?" in told
    assert "2 handlers examined, 2 wrong" in told
    [finding] = json.loads(scaffold("check", "foo", "--json", code=2).stdout)[
        "findings"
    ]
    text = (project / FOO / "handler.toml").read_text().splitlines()
    assert "creat" in text[finding["line"] - 1]


@pytest.mark.parametrize("damage", ["", "|x", "format 99\n"])
def test_a_damaged_record_hides_no_other_handler(
    scaffold: Run, project: Path, damage: str
) -> None:
    # without a record, the owners of entries are looked up in all records
    scaffold("new-handler", "huddle", "--field", "channel:str")
    shutil.rmtree(project / ".scaffold/handlers/huddle")
    file = project / RECORD.format("foo")
    text = file.read_text()
    file.write_text(damage + text.replace("|", "|x", 1) if damage else "")
    (project / HIPCHAT / "service.py").unlink()
    assert found(scaffold, code=5) == [
        ("SC116", RECORD.format("foo")),
        ("SC104", f"{HIPCHAT}/service.py"),
        ("SC109", "runtime/services/huddle/handler.toml"),
    ]


def test_conflict_markers_hide_no_other_file(scaffold: Run, project: Path) -> None:
    marked = [SERVICES, f"{FOO}/handler.toml", RECORD.format("hipchat")]
    for path in marked:
        (project / path).write_text((project / path).read_text() + MARKERS)
    (project / "runtime/integrations/kinds.py").unlink()
    assert found(scaffold) == [
        *[("SC113", path) for path in marked],
    ]
    scaffold("new-handler", "huddle", "--field", "channel:str", code=5)


def test_a_handler_beside_conflict_markers_is_examined(
    scaffold: Run, project: Path
) -> None:
    (project / SERVICES).write_text((project / SERVICES).read_text() + MARKERS)
    (project / FOO / "service.py").unlink()
    edit(project, "tests/runtime/test_registration.py", '    "foo",\n', "")
    assert found(scaffold) == [
        ("SC113", SERVICES),
        ("SC104", f"{FOO}/service.py"),
        ("SC101", "tests/runtime/test_registration.py"),
    ]


def test_a_template_that_moved_on_is_told_from_a_spec_that_changed(
    scaffold: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(project, f"{FOO}/handler.toml", '"Foo"', '"Foo Chat"')
    assert found(scaffold) == [("SC107", f"{FOO}/handler.toml")]
    render = rendering.render

    def newer(template: str, spec: HandlerSpec, *more: object, **named: object) -> str:
        text = render(template, spec, *more, **named)  # type: ignore[arg-type]
        is_page = template.endswith("KIND.md.j2")
        return text.replace("# ", "# The handler ", 1) if is_page else text

    monkeypatch.setattr(rendering, "render", newer)
    assert found(scaffold) == [
        ("SC107", f"{FOO}/handler.toml"),
        ("SC106", "docs/handlers/foo.md"),
        ("SC106", "docs/handlers/hipchat.md"),
    ]
    scaffold("regenerate", "--all")
    assert found(scaffold, code=0) == []


def test_annotations_name_paths_of_the_checkout(
    run_in: Run, project: Path, tmp_path: Path
) -> None:
    inner = tmp_path / "checkout" / "alerting"
    shutil.copytree(project, inner)
    git(inner.parent, "init", "-q")
    edit(inner, SERVICES, '    "foo": "runtime.services.foo.service:Service",\n', "")
    done = run_in(inner / "runtime", "check", "--format", "github", code=1)
    [line] = done.stdout.splitlines()
    assert line.startswith(f"::error file=alerting/{SERVICES},line=")
    assert ",title=SC101 registration-missing::`foo` in " in line
    assert line.endswith("%0Afix: scaffold regenerate foo")
    assert "SC101" not in done.stderr
    assert "1 wrong" in done.stderr


def test_errors_are_annotations_too(scaffold: Run, project: Path) -> None:
    done = scaffold("check", "nope", "--format=github", code=2)
    assert done.stdout == (
        "::error title=scaffold::unknown handler 'nope'%0Afix: scaffold list\n"
    )
    assert "error: unknown handler 'nope'" in done.stderr


def test_the_forms_of_the_report(scaffold: Run, project: Path) -> None:
    assert scaffold("check", "--format", "github").stdout == ""
    assert json.loads(scaffold("check", "--format", "json").stdout)["ok"] is True
    assert scaffold("check", "--format", "text").stdout == ""
    told = json.loads(scaffold("check", "--format", "json", "--x", code=2).stdout)
    assert told["exit_code"] == 2
    assert "'xml' is not one of" in scaffold("check", "--format", "xml", code=2).stderr


@pytest.mark.parametrize("is_edited", [False, True])
@pytest.mark.parametrize("gone", ["handler.toml", ""])
def test_the_fix_of_leftovers_removes_them(
    scaffold: Run, project: Path, gone: str, is_edited: bool
) -> None:
    if is_edited:
        edit(
            project, SERVICES, 'foo.service:Service",', 'foo.service:Service" or None,'
        )
    path = project / FOO / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    told = json.loads(scaffold("check", "--json", code=1).stdout)
    assert {each["code"] for each in told["findings"]} == {"SC108"}
    [fix] = {each["fix"] for each in told["findings"]}
    assert fix == "scaffold remove-handler foo" + " --discard-edits" * is_edited
    scaffold(*fix.split()[1:])
    assert found(scaffold, code=0) == []
    assert "foo" not in (project / SERVICES).read_text().lower()


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (f"{FOO}/service.py", None, ""),
        (
            "runtime/integrations/kinds.py",
            '    "foo": "runtime.services.foo.handler:HandlerConfig",\n',
            "",
        ),
        (
            SERVICES,
            '    "foo": "runtime.services.foo.service:Service",\n',
            '    "foo": "runtime.services.foo.service:Service",\n' * 2,
        ),
        (f"{FOO}/handler.toml", "posts alert", "sends alert"),
        (RECORD.format("foo"), None, ""),
        (RECORD.format("foo"), "|", "|x"),
    ],
)
def test_every_fix_is_a_command_of_scaffold_that_mends_it(
    scaffold: Run, project: Path, path: str, old: str | None, new: str
) -> None:
    if old is None:
        (project / path).unlink()
    else:
        edit(project, path, old, new)
    told = json.loads(scaffold("check", "--json", code=None).stdout)
    assert told["exit_code"] in (1, 5)
    for fix in {each["fix"] for each in told["findings"]}:
        program, *arguments = fix.split()
        assert program == "scaffold"
        scaffold(*arguments)
    assert found(scaffold, code=0) == []
