"""Real APIs of many shapes: a spec each, and no change of the generator."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__)
SPECS = [
    *sorted((HERE.parents[1] / "specs").rglob("*.toml")),
    # written as a user would, when the vocabulary was finished
    *sorted((HERE.parents[3] / "examples/specs").iterdir()),
]
CHECK = re.compile(
    r"^        if (?:[^\n]|\n(?!        \S))*?:\n            raise ", re.M
)


@pytest.fixture
def filled(whole_project, scaffold):
    """A project with a handler for each spec, and one that flags describe."""
    for spec in SPECS:
        scaffold("new-handler", "--spec", str(spec))
    # pytest would otherwise collect the class `TestrailServer`
    scaffold("new-handler", "testrail", "--field", "channel:str")
    return whole_project


def run_tests(project, *more):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *more],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_what_is_generated_passes_its_own_tests(filled, scaffold):
    done = run_tests(filled, "tests")
    assert done.returncode == 0, done.stdout[-5000:]
    assert "unused" not in done.stdout
    scaffold("check")
    broken = {"checks": set(), "that": set()}
    for spec in sorted(filled.glob("*/services/*/handler.toml")):
        service = spec.with_name("service.py")
        text = service.read_text()
        made = CHECK.sub("        if False:\n            raise ", text)
        if made != text:
            broken["checks"].add(
                f"test_{service.parent.name}_service.py::test_variants"
            )
        without = made.replace("in self.ok and ", "in self.ok or ")
        if without != made:
            name = "test_an_error_response"
            broken["that"].add(f"test_{service.parent.name}_service.py::{name}")
        service.write_text(without)
    assert len(broken["checks"]) > 3
    assert len(broken["that"]) > 6
    names = broken["checks"] | broken["that"]
    paths = {path.name: path for path in filled.glob("tests/**/test_*_service.py")}
    places = [
        f"{paths[file]}::{test}" for file, _, test in (n.partition("::") for n in names)
    ]
    done = run_tests(filled, *places, "-rf", "--tb=no")
    failed = set(re.findall(r"FAILED \S*/(test_\w+\.py::\w+)", done.stdout))
    assert failed == names
