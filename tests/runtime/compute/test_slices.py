"""Slices of a fixed time."""

import pytest

from runtime.compute.slices import AIM_S, FEWEST, MOST, Slices


@pytest.mark.parametrize(
    ("row_s", "size"),
    [(0.000_01, MOST), (0.000_3, AIM_S / 0.000_3), (0.1, FEWEST)],
)
def test_a_slice_takes_the_same_time_whatever_a_row_takes(
    row_s: float, size: float
) -> None:
    now = [0.0]
    slices = Slices(lambda: now[0])
    for _ in range(20):
        with slices.measured():
            now[0] += row_s * slices.size
    assert slices.size == pytest.approx(size, abs=1)


def test_a_slow_moment_makes_the_next_slice_small_and_passes() -> None:
    now = [0.0]
    slices = Slices(lambda: now[0])
    before = slices.size
    with slices.measured():
        now[0] += 60
    assert slices.size < before
    for _ in range(10):
        with slices.measured():
            pass
    assert slices.size == MOST
