"""The settings of a project."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from scaffold.errors import ScaffoldError, UsageError
from scaffold.project import FORMAT, find


def made(folder: Path, settings: str) -> Path:
    (folder / "pyproject.toml").write_text(f"[tool.scaffold]\n{settings}\n")
    return folder


def test_settings_have_defaults(tmp_path: Path) -> None:
    project = find(made(tmp_path, ""))
    assert project.root == tmp_path.resolve()
    assert (project.package, project.skip) == ("runtime", frozenset())


def test_settings_are_read(tmp_path: Path) -> None:
    settings = f'package = "alerts"\nformat = {FORMAT}\nskip = ["CHANGELOG.md"]'
    project = find(made(tmp_path, settings))
    assert project.package == "alerts"
    assert project.skip == {PurePosixPath("CHANGELOG.md")}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ('pakage = "alerts"', r"unknown key 'pakage' \(allowed: .*package"),
        ("a = 1\nformat = 1", "unknown key 'a'"),
        ("package = 1", "package must be the name"),
        ('package = "my-alerts"', "package must be the name"),
        ('skip = "CHANGELOG.md"', "skip must be a list of paths"),
        ("skip = [1]", "skip must be a list of paths"),
        ("format = 0", f"format must be {FORMAT}"),
        ("format = true", f"format must be {FORMAT}"),
        ('format = "2"', f"format must be {FORMAT}"),
        ("format = 1", "contains a copy of the runtime"),
        (f"format = {FORMAT + 1}", "needs a newer scaffold"),
    ],
)
def test_a_wrong_setting_is_refused(
    tmp_path: Path, settings: str, problem: str
) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        find(made(tmp_path, settings))
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("text", ["[tool.scaffold", "[tool.scaffold]\nx = 1e", "\0"])
def test_settings_that_are_not_toml_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"# scaffold\n{text}")
    with pytest.raises(ScaffoldError, match="invalid TOML"):
        find(tmp_path)
