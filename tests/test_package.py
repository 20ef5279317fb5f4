"""The wheel holds what the programs need: templates, runtime, types, console scripts."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from runtime.version import PRODUCT, PRODUCT_VERSION

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content, as an installation would have it."""
    made = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
         "--disable-pip-version-check", "-w", str(made), str(ROOT)],
        check=True,
        timeout=180,
    )  # fmt: skip
    [wheel] = made.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(made / "site")
    return made / "site"


def test_the_wheel_generates_an_integration_that_passes(
    installed: Path, tmp_path: Path
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    project = tmp_path / "alerts"

    def run(directory: Path, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=directory,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(tmp_path, "scaffold", "init", str(project))
    run(project, "scaffold", "new-handler", "huddle", "--field", "channel:str")
    assert " passed" in run(project, "pytest", "-q", "tests/alerts/services/huddle")
    where = subprocess.run(
        [sys.executable, "-c", "import scaffold; print(scaffold.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(installed)


def test_the_wheel_declares_its_programs_and_types(installed: Path) -> None:
    [entry_points] = installed.glob("*.dist-info/entry_points.txt")
    for program in ("scaffold", "kapacitord", "kapacitor"):
        assert f"{program} = " in entry_points.read_text()
    assert (installed / "runtime" / "py.typed").exists()
    assert (installed / "scaffold" / "py.typed").exists()


def test_the_wheel_has_the_style_sheet_of_the_status_page(installed: Path) -> None:
    assert (installed / "runtime" / "server" / "status" / "page.css").exists()


def test_the_wheel_has_what_an_operator_installs(installed: Path) -> None:
    [data] = installed.glob("*.data/data/share/scaffold-alerts")
    for name in ("kapacitor.conf", "kapacitor.service"):
        assert (data / name).read_bytes() == (ROOT / "etc" / name).read_bytes()


def test_the_runtime_knows_its_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (project["name"], project["version"]) == (PRODUCT, PRODUCT_VERSION)
