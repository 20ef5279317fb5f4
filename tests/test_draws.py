"""The quick profile draws cases, the gate runs all."""

from __future__ import annotations

import pytest

from tests.draws import drawn

CASES = [f"case {number}" for number in range(20)]


def test_a_desk_draws_some_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYPOTHESIS_PROFILE", raising=False)
    some = drawn(CASES, 5)
    assert len(some) == 5
    assert some == [case for case in CASES if case in some]
    # every process of a run has the same
    assert drawn(CASES, 5) == some


def test_few_cases_are_all_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYPOTHESIS_PROFILE", raising=False)
    assert drawn(CASES, 20) == CASES
    assert drawn(iter(CASES), 30) == CASES


@pytest.mark.parametrize(
    ("name", "value"), [("HYPOTHESIS_PROFILE", "deep"), ("FAULTS", "long")]
)
def test_the_gate_and_long_runs_take_all(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYPOTHESIS_PROFILE", raising=False)
    monkeypatch.setenv(name, value)
    assert drawn(CASES, 5) == CASES
