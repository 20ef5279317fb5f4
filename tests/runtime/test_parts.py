"""How long writes are cut."""

import types

from runtime.line_protocol import Write, parse
from runtime.parts import Parts


def write(points: int) -> Write:
    return parse("\n".join(f"m v=1 {n}" for n in range(points)).encode(), now=0)


def sizes(monkeypatch, steps: int, step_s: float) -> list[int]:
    """The parts of a write, each of which takes so many steps of that time."""
    now = 0.0
    monkeypatch.setattr(
        "runtime.parts.time", types.SimpleNamespace(monotonic=lambda: now)
    )
    found = []
    for part, pace in Parts().of(write(20_000)):
        found.append(len(part))
        for _ in range(steps):
            pace.resume()
            now += step_s
            pace.pause()
    return found


def test_long_steps_shrink_the_parts(monkeypatch):
    assert sizes(monkeypatch, 1, 0.08)[:3] == [128, 32, 16]


def test_many_tasks_of_short_steps_do_not(monkeypatch):
    # others have their turn between the steps; each part costs every task something
    assert sizes(monkeypatch, 300, 0.001)[:3] == [128, 2048, 8192]
