"""How long writes are cut."""

import types

from runtime.line_protocol import Write, parse
from runtime.tasks.parts import Parts


def write(points: int) -> Write:
    return parse("\n".join(f"m v=1 {n}" for n in range(points)).encode(), now=0)


def sizes(monkeypatch, steps: int, step_s: float, others_s: float = 0.0) -> list[int]:
    """The parts of a write, each of which takes so many steps of that time.

    In each step other programs take the processor for `others_s`.
    """
    worked = passed = 0.0
    clocks = types.SimpleNamespace(thread_time=lambda: worked, monotonic=lambda: passed)
    monkeypatch.setattr("runtime.tasks.parts.time", clocks)
    found = []
    for part, pace in Parts().of(write(20_000)):
        found.append(len(part))
        for _ in range(steps):
            pace.resume()
            worked += step_s
            passed += step_s + others_s
            pace.pause()
    return found


def test_long_steps_shrink_the_parts(monkeypatch):
    assert sizes(monkeypatch, 1, 0.08)[:3] == [128, 32, 16]


def test_many_tasks_of_short_steps_do_not(monkeypatch):
    # others have their turn between the steps; each part costs every task something
    assert sizes(monkeypatch, 300, 0.001)[:3] == [128, 1988, 5962]


def test_other_programs_on_the_machine_do_not(monkeypatch):
    assert sizes(monkeypatch, 3, 0.001, others_s=0.5)[:3] == [128, 1988, 5962]


def test_the_rest_of_a_write_is_no_short_part(monkeypatch):
    assert sizes(monkeypatch, 300, 0.001)[-3:] == [5962, 5961, 5961]
