"""Templates that a project overrides: copied, used, kept up to date."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scaffold import overrides
from tests.scaffold.files import edit, files

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ROOT = Path(__file__).parents[3]
NAME = "create/docs/handlers/KIND.md.j2"
COPY = f"templates/{NAME}"
PAGE = "docs/handlers/foo.md"


@pytest.fixture(autouse=True)
def changelog(project: Path) -> None:
    """Both handlers are in the changelog."""
    shutil.copy(ROOT / "CHANGELOG.md", project)


def found(scaffold: Run, code: int = 1) -> list[tuple[str, str, str]]:
    """The codes, paths and fixes that `check` reports."""
    told = json.loads(scaffold("check", "--json", code=code).stdout)
    return [(each["code"], each["path"], each["fix"]) for each in told["findings"]]


def change_product(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """Another version of scaffold, whose template of pages differs."""
    texts = overrides.product()
    assert old in texts[NAME]
    texts[NAME] = texts[NAME].replace(old, new, 1)
    for module in ("scaffold.overrides", "scaffold.findings"):
        monkeypatch.setattr(f"{module}.product", lambda: dict(texts))


def test_a_copy_changes_nothing_until_it_is_edited(
    scaffold: Run, project: Path
) -> None:
    told = scaffold("override", NAME)
    assert f"      create {COPY}" in told.stderr
    assert (project / COPY).read_text() == overrides.product()[NAME]
    assert "2 handlers examined, nothing to do" in scaffold("check").stderr
    edit(project, COPY, "# ", "# The handler ")
    assert found(scaffold) == [
        ("SC106", f"docs/handlers/{kind}.md", f"scaffold regenerate {kind}")
        for kind in ("foo", "hipchat")
    ]
    scaffold("regenerate", "--all")
    assert (project / PAGE).read_text().startswith("# The handler Foo\n")
    assert found(scaffold, code=0) == []
    scaffold("new-handler", "huddle", "--field", "channel:str")
    page = (project / "docs/handlers/huddle.md").read_text()
    assert page.startswith("# The handler Huddle\n")


def test_a_remembered_verdict_ends_with_a_template(
    scaffold: Run, project: Path
) -> None:
    scaffold("check")
    (project / COPY).parent.mkdir(parents=True)
    (project / COPY).write_text("# {{ title }}\n")
    assert ("SC106", PAGE, "scaffold regenerate foo") in found(scaffold)


def test_a_copy_is_behind_when_scaffolds_template_changes(
    scaffold: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaffold("override", NAME)
    change_product(monkeypatch, "# ", "# Handler ")
    fix = f"scaffold override {NAME}"
    assert found(scaffold) == [("SC117", COPY, fix)]
    assert "behind" in scaffold("override").stdout
    before = files(project)
    assert f"      update {COPY}" in scaffold("override", NAME, "-n").stderr
    assert files(project) == before
    scaffold(*fix.split()[1:])
    assert (project / COPY).read_text() == overrides.product()[NAME]
    assert {code for code, _, _ in found(scaffold)} == {"SC106"}


def test_changes_on_both_sides_are_merged(
    scaffold: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaffold("override", NAME)
    copy = project / COPY
    copy.write_text(copy.read_text() + "\nAsk the team.\n")
    change_product(monkeypatch, "# ", "# Handler ")
    told = scaffold("override", NAME).stderr
    assert f"       merge {COPY}" in told
    text = (project / COPY).read_text()
    assert text == overrides.product()[NAME] + "\nAsk the team.\n"
    assert "SC117" not in {code for code, _, _ in found(scaffold)}


@pytest.mark.parametrize("take", ["mine", "generated", "markers"])
def test_contradicting_changes_are_a_persons_to_settle(
    scaffold: Run, project: Path, monkeypatch: pytest.MonkeyPatch, take: str
) -> None:
    scaffold("override", NAME)
    edit(project, COPY, "# ", "# My ")
    mine = (project / COPY).read_text()
    change_product(monkeypatch, "# ", "# Handler ")
    before = files(project)
    told = scaffold("override", NAME, code=3).stderr
    assert f"{COPY}: was changed in the project and in scaffold" in told
    assert f"fix:   scaffold override {NAME} --on-conflict markers" in told
    assert files(project) == before
    scaffold("override", NAME, "--on-conflict", take)
    text = (project / COPY).read_text()
    product = overrides.product()[NAME]
    if take == "markers":
        assert {"# My {{ title|markdown }}", "# Handler {{ title|markdown }}"} <= {
            *text.splitlines()
        }
    else:
        assert text == (mine if take == "mine" else product)
    assert "SC117" not in {code for code, _, _ in found(scaffold)}


def test_a_template_without_a_record_gets_one(scaffold: Run, project: Path) -> None:
    (project / COPY).parent.mkdir(parents=True)
    (project / COPY).write_text("# {{ title }}\n")
    fix = f"scaffold override {NAME}"
    assert ("SC117", COPY, fix) in found(scaffold)
    scaffold("override", NAME)
    assert (project / COPY).read_text() == "# {{ title }}\n"
    assert "SC117" not in {code for code, _, _ in found(scaffold)}


def test_a_template_that_does_not_work_hides_nothing_else(
    scaffold: Run, project: Path
) -> None:
    scaffold("override", NAME)
    edit(project, COPY, "# {{ title|markdown }}\n", "\n{{ title.upper() }}\n")
    registration = project / "tests/runtime/test_registration.py"
    registration.write_text("<<<<<<< a\n=======\n>>>>>>> b\n")
    assert [each[:2] for each in found(scaffold, code=5)] == [
        ("SC113", "tests/runtime/test_registration.py"),
        ("SC118", COPY),
    ]
    [finding] = [
        each
        for each in json.loads(scaffold("check", "--json", code=5).stdout)["findings"]
        if each["code"] == "SC118"
    ]
    assert finding["line"] == 2
    registration.unlink()
    before = files(project)
    told = scaffold("regenerate", "--all", code=5).stderr
    assert told.startswith(f"error: {COPY}:2: ")
    assert files(project) == before


def test_a_name_that_scaffold_does_not_have_is_reported(
    scaffold: Run, project: Path
) -> None:
    (project / COPY).parent.mkdir(parents=True)
    (project / COPY).with_name("page.md.j2").write_text("x")
    (project / "templates/create/mine.html").write_text("not a template of scaffold")
    assert found(scaffold, code=0) == [
        ("SC119", "templates/create/docs/handlers/page.md.j2", "")
    ]


def test_other_folders_of_that_name_are_left_alone(
    scaffold: Run, project: Path
) -> None:
    (project / "templates/edit.html").parent.mkdir()
    (project / "templates/edit.html").write_text("{% bad")
    (project / "templates/base.j2").write_text("{% bad")
    assert found(scaffold, code=0) == []


def test_the_folder_can_be_another(scaffold: Run, project: Path) -> None:
    edit(
        project,
        "pyproject.toml",
        "[tool.scaffold]\n",
        '[tool.scaffold]\ntemplates = "etc/own"\n',
    )
    scaffold("override", NAME)
    edit(project, f"etc/own/{NAME}", "# ", "# My ")
    scaffold("regenerate", "foo")
    assert (project / PAGE).read_text().startswith("# My Foo\n")


@pytest.mark.parametrize("folder", ['"/etc"', '"../up"', '"a/../../b"', "5", '""'])
def test_a_folder_outside_is_refused(scaffold: Run, project: Path, folder: str) -> None:
    edit(
        project,
        "pyproject.toml",
        "[tool.scaffold]\n",
        f"[tool.scaffold]\ntemplates = {folder}\n",
    )
    told = scaffold("check", code=2).stderr
    assert "templates must be a folder of the project" in told


@pytest.mark.parametrize("part", ["templates", "templates/create", COPY])
def test_links_are_not_followed(
    scaffold: Run, project: Path, tmp_path: Path, part: str
) -> None:
    outside = tmp_path / "outside"
    (outside / COPY).parent.mkdir(parents=True)
    (outside / COPY).write_text("# {{ title }}\n")
    (project / part).parent.mkdir(parents=True, exist_ok=True)
    (project / part).symlink_to(outside / part)
    assert "symbolic link" in scaffold("check", code=5).stderr
    assert "symbolic link" in scaffold("override", NAME, code=5).stderr


def test_templates_that_are_not_text_are_refused(scaffold: Run, project: Path) -> None:
    (project / COPY).parent.mkdir(parents=True)
    for data, problem in ((b"\xff", "is not UTF-8"), (b"x" * 70_000, "is larger")):
        (project / COPY).write_bytes(data)
        assert f"{COPY} (SC118" in scaffold("check", code=5).stderr
        assert problem in scaffold("regenerate", "--all", code=5).stderr


def test_templates_are_found_by_the_end_of_their_names(
    scaffold: Run, project: Path
) -> None:
    scaffold("override", "KIND.md", COPY)
    assert (project / COPY).is_file()
    told = scaffold("override", "service.py", code=2).stderr
    assert "may be any of create/runtime/services/KIND/service.py.j2, edit/" in told
    told = scaffold("override", "KIND.mdd", code=2).stderr
    assert "unknown template 'KIND.mdd'; did you mean KIND.md.j2?" in told
    scaffold("override", "init/README.md.j2", code=2)


def test_all_names_are_listed(scaffold: Run, project: Path) -> None:
    scaffold("override", NAME)
    told = json.loads(scaffold("override", "--json").stdout)
    states = {each["template"]: each["state"] for each in told["templates"]}
    assert set(states) == set(overrides.product())
    assert {name for name, state in states.items() if state} == {NAME}


def test_a_copy_can_be_planned_and_taken_back(
    scaffold: Run, project: Path, tmp_path: Path
) -> None:
    before = files(project)
    plan = str(tmp_path / "plan.json")
    scaffold("override", NAME, "--plan", plan)
    assert files(project) == before
    scaffold("apply", plan)
    assert (project / COPY).is_file()
    scaffold("undo")
    assert files(project) == before


def test_a_template_is_an_input_of_a_plan(
    scaffold: Run, project: Path, tmp_path: Path
) -> None:
    scaffold("override", NAME)
    plan = str(tmp_path / "plan.json")
    scaffold("new-handler", "huddle", "--plan", plan)
    edit(project, COPY, "# ", "# My ")
    told = scaffold("apply", plan, code=5).stderr
    assert f"{COPY}: changed since the plan was made" in told


def test_a_template_that_is_removed_leaves_no_record(
    scaffold: Run, project: Path
) -> None:
    scaffold("override", NAME, "KIND.conf")
    (project / COPY).unlink()
    assert found(scaffold, code=0) == []
    scaffold("override", "KIND.conf")
    assert NAME not in (project / ".scaffold/overrides").read_text()


def test_a_damaged_record_is_reported(scaffold: Run, project: Path) -> None:
    scaffold("override", NAME)
    record = project / ".scaffold/overrides"
    record.write_text(record.read_text().replace("|#", "|##", 1))
    assert found(scaffold, code=5) == [("SC116", ".scaffold/overrides", "")]
