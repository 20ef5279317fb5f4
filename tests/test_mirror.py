"""The tests of the generator mirror it: a folder for each folder, a name for each name."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCAFFOLD = ROOT / "scaffold"
TESTS = ROOT / "tests/scaffold"
# they are about all modules of their folder
OF_ALL = {"test_layers.py", "test_laws.py", "test_stopped.py"}


def subjects(file: Path) -> list[str]:
    """Return possible subjects of a test module: `test_a_b.py` is about `a_b`, or `a`."""
    words = file.stem.removeprefix("test_").split("_")
    return ["_".join(words[:count]) for count in range(len(words), 0, -1)]


@pytest.mark.parametrize(
    "file",
    [file for file in sorted(TESTS.rglob("test_*.py")) if file.name not in OF_ALL],
    ids=lambda file: file.relative_to(TESTS).as_posix(),
)
def test_a_test_module_is_named_after_what_it_tests(file: Path) -> None:
    folder = SCAFFOLD / file.parent.relative_to(TESTS)
    modules = {module.stem for module in folder.glob("*.py")}
    assert modules & {*subjects(file)}, f"{folder} has no module of such a name"


@pytest.mark.parametrize(
    "folder",
    [
        folder.relative_to(SCAFFOLD)
        for folder in sorted(SCAFFOLD.rglob("*"))
        if folder.is_dir() and any(folder.glob("*.py"))
    ],
    ids=str,
)
def test_a_folder_of_sources_has_a_folder_of_tests(folder: Path) -> None:
    assert list((TESTS / folder).glob("test_*.py"))
