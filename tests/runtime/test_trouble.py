"""Failures that last."""

import logging

import pytest

from runtime.errors import StoreError
from runtime.trouble import Trouble


class Lines(logging.Handler):
    """A log that keeps what it is given, with the time of a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.found: list[tuple[float, str, str, str]] = []
        self.traces = 0

    def emit(self, record: logging.LogRecord) -> None:
        count = str(vars(record).get("failures", ""))
        self.found.append((self.now, record.levelname, record.getMessage(), count))
        self.traces += record.exc_info is not None


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def trouble(lines: Lines) -> Trouble:
    log = logging.Logger("test")
    log.addHandler(lines)
    return Trouble(log, "it failed", "it works again", clock=lambda: lines.now)


def test_a_failure_that_lasts_is_logged_ever_more_rarely(
    trouble: Trouble, lines: Lines
) -> None:
    for second in range(86_400):
        lines.now = float(second)
        trouble.failed(StoreError("disk is full"))
    lines.now = 86_400.0
    trouble.ended()
    trouble.ended()
    times = [time for time, *_ in lines.found]
    assert times[:5] == [0, 10, 30, 70, 150]
    assert len(times) < 35
    assert lines.found[0] == (0, "ERROR", "it failed", "")
    assert lines.found[1] == (10, "ERROR", "it failed", "11")
    assert lines.found[-1] == (86_400, "INFO", "it works again", "86400")


def test_what_fails_every_other_time_is_logged_as_rarely(
    trouble: Trouble, lines: Lines
) -> None:
    for second in range(1000):
        lines.now = float(second)
        trouble.failed(StoreError("disk is full"))
        trouble.ended()
    assert len(lines.found) < 20
    lines.now = 10_000.0
    trouble.failed(StoreError("disk is full"))
    assert lines.found[-1][:3] == (10_000, "ERROR", "it failed")


def test_an_error_that_nobody_expected_has_its_traceback(
    trouble: Trouble, lines: Lines
) -> None:
    trouble.failed(StoreError("disk is full"))
    assert lines.traces == 0
    lines.now = 60.0
    trouble.failed(KeyError("x"))
    assert lines.traces == 1
