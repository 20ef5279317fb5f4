"""Tests that documents name exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEST = re.compile(r"`((?:\w+/)*test_\w+)`")


def test_every_test_that_proves_a_promise_exists():
    named = set(TEST.findall((ROOT / "docs/proofs.md").read_text()))
    assert len(named) > 50
    assert [each for each in named if not (ROOT / f"tests/{each}.py").exists()] == []
