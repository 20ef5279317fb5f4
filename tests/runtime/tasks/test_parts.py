"""Division of long writes into parts."""

import types

from runtime.line_protocol import Write, parse
from runtime.tasks.parts import Parts


def write(points: int) -> Write:
    return parse("\n".join(f"m v=1 {n}" for n in range(points)).encode(), now=0)


def sizes(
    monkeypatch,
    steps: int,
    step_s: float,
    others_s: float = 0.0,
    is_heavy: bool = False,
) -> list[int]:
    """The parts of a write, each of which takes so many steps of that time.

    In each step other programs take the processor for `others_s`.
    """
    worked = passed = 0.0
    clocks = types.SimpleNamespace(thread_time=lambda: worked, monotonic=lambda: passed)
    monkeypatch.setattr("runtime.tasks.parts.time", clocks)
    found = []
    for part, pace in Parts().of(write(20_000), is_heavy=is_heavy):
        found.append(len(part))
        for _ in range(steps):
            pace.resume()
            worked += step_s
            passed += step_s + others_s
            pace.pause()
    return found


def test_long_steps_shrink_the_parts(monkeypatch):
    assert sizes(monkeypatch, 1, 0.08)[:3] == [128, 32, 8]


def test_a_point_that_is_long_work_is_a_part(monkeypatch):
    assert sizes(monkeypatch, 1, 0.08, is_heavy=True)[:3] == [2, 1, 1]


def test_points_that_may_be_long_work_and_are_not_soon_go_together(monkeypatch):
    found = sizes(monkeypatch, 1, 0.001, is_heavy=True)
    assert found[:3] == [2, 32, 512]


def test_many_tasks_of_short_steps_do_not(monkeypatch):
    # others have their turn between the steps; each part costs every task something
    assert sizes(monkeypatch, 300, 0.001)[:3] == [128, 1988, 5962]


def test_other_programs_on_the_machine_do_not(monkeypatch):
    assert sizes(monkeypatch, 3, 0.001, others_s=0.5)[:3] == [128, 1988, 5962]


def test_the_rest_of_a_write_is_no_short_part(monkeypatch):
    assert sizes(monkeypatch, 300, 0.001)[-3:] == [5962, 5961, 5961]


def of_name(name: str, points: int) -> Write:
    return parse("\n".join(f"{name} v=1 {n}" for n in range(points)).encode(), now=0)


def taken(parts: Parts, write: Write) -> list[int]:
    return [len(part) for part, _ in parts.of(write)]


def first_sizes(parts: Parts, *writes: Write) -> list[int]:
    """The first part of each write; no part takes any time."""
    return [taken(parts, each)[0] for each in writes]


def test_what_was_learned_of_a_measurement_says_nothing_of_others(monkeypatch):
    clocks = types.SimpleNamespace(thread_time=lambda: 0.0)
    monkeypatch.setattr("runtime.tasks.parts.time", clocks)
    parts = Parts()
    light, heavy = of_name("light", 20_000), of_name("heavy", 20_000)
    both = parse(b"light v=1\nheavy v=1\n" * 5_000, now=0)
    found = first_sizes(parts, light, light, both, heavy, heavy)
    assert found == [128, 6667, 127, 6667, 6667]
    parts.forget()
    assert first_sizes(parts, light) == [128]


def test_writes_of_many_measurements_share_what_they_learn(monkeypatch):
    clocks = types.SimpleNamespace(thread_time=lambda: 0.0)
    monkeypatch.setattr("runtime.tasks.parts.time", clocks)
    parts = Parts()
    lines = "\n".join(f"m{n % 100} v=1 {n}" for n in range(20_000))
    many = parse(lines.encode(), now=0)
    assert first_sizes(parts, many, many) == [128, 6667]
