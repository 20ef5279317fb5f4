"""Tests that documents name exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEST = re.compile(r"`((?:\w+/)*test_\w+)(?:::(test_\w+))?`")


def test_every_test_that_proves_a_promise_exists():
    named = set(TEST.findall((ROOT / "docs/proofs.md").read_text()))
    assert len(named) > 100
    assert [each for each in sorted(named) if not exists(*each)] == []


def exists(module, test):
    file = ROOT / f"tests/{module}.py"
    return (
        file.exists() and f"def {test}(" in file.read_text() if test else file.exists()
    )


def test_every_fault_of_the_generator_names_its_tests():
    _, _, section = (
        (ROOT / "docs/proofs.md").read_text().partition("## Faults: the gen")
    )
    section, _, _ = section.partition("\n## ")
    _, _, *rows = [line for line in section.splitlines() if line.startswith("|")]
    assert len(rows) > 30
    assert [row for row in rows if not any(test for _, test in TEST.findall(row))] == []
