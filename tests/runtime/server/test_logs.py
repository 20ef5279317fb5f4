"""Log lines: one for each record, not too long, and not the same without end."""

import logging
import threading
from typing import Any

import pytest

from runtime.server.log_limits import MOST, SPAN_S, Repeats
from runtime.server.logs import ROOT, LogfmtFormatter
from runtime.trouble import complain

FORGED = "x\nts=2026-01-01T00:00:00Z lvl=info msg=fake"


def record(message: str, level: int = logging.ERROR, **extra: Any) -> logging.LogRecord:
    logger = logging.getLogger("kapacitor.kapacitor")
    return logger.makeRecord(logger.name, level, "", 0, message, (), None, extra=extra)


def line(message: str, **extra: Any) -> str:
    return LogfmtFormatter().format(record(message, **extra))


@pytest.mark.parametrize(
    "hostile",
    [
        *(FORGED, "a\rb", "a\0b", "\x1b[31mred", "a\u2028b", "a\u2029b", "a\x85b"),
        *(
            "\u202eabc",
            "\u2066abc\u2069",
            "\ufeffabc",
            "\udcffabc",
            "a\x7fb",
            "a\u200fb",
        ),
    ],
)
def test_whatever_is_logged_is_one_line_that_shows_what_it_is(hostile: str) -> None:
    for written in (
        line(hostile),
        line("m", task=hostile),
        line("m", parts={"tag_h": hostile, f"tag_{hostile}": "v"}),
    ):
        written.encode()
        assert written.isprintable()
        assert len(written.splitlines()) == 1
    assert line("m", task=hostile).count(" lvl=") == 1 + hostile.count(" lvl=")
    assert ' task="' in line("m", task=hostile)


def test_a_name_that_a_client_chose_cannot_end_a_part() -> None:
    written = line("m", parts={"tag_a lvl=error x": "v", 'tag_"=': "v"})
    assert written.endswith(" tag_a_lvl_error_x=v tag___=v")


@pytest.mark.parametrize("char", ["x", "\n", "é", "\u202e", "\U000e0001"])
def test_a_line_is_at_most_16_kib(char: str) -> None:
    long = char * 1_000_000
    written = line(long, task=long, err=long)
    assert len(written.encode()) <= 16 * 1024
    assert " lvl=error " in written
    assert " err=" in written


def test_a_traceback_is_a_part_of_its_line() -> None:
    try:
        raise KeyError(FORGED)
    except KeyError as error:
        failure = record("a task failed")
        failure.exc_info = (KeyError, error, error.__traceback__)
    written = LogfmtFormatter().format(failure)
    assert len(written.splitlines()) == 1
    assert 'stack="Traceback (most recent call last):' in written
    assert "test_logs.py" in written


class Written(logging.Handler):
    """A log that does not write what repeats."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.now = 0.0
        self.addFilter(Repeats(self.handle, lambda: self.now))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(LogfmtFormatter().format(record).partition(" ")[2])

    def log(self, message: str, **extra: Any) -> None:
        self.handle(record(message, **extra))


def test_what_repeats_is_written_a_few_times_then_counted() -> None:
    log = Written()
    for number in range(100_000):
        log.log("failed to evaluate", task="t", err=f"reason {number}")
    assert len(log.lines) == MOST
    log.now = SPAN_S
    log.log("failed to evaluate", task="t", err="again")
    assert log.lines[MOST:] == [
        'lvl=error msg="failed to evaluate" service=kapacitor task=t '
        f'err="reason 0" suppressed={100_000 - MOST}',
        'lvl=error msg="failed to evaluate" service=kapacitor task=t err=again',
    ]


def test_no_record_is_made_of_what_would_not_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, made = Written(), []
    monkeypatch.setattr(ROOT, "handlers", [log])
    monkeypatch.setattr(ROOT, "propagate", False)
    logger = logging.getLogger("kapacitor.kapacitor")
    make = logger.makeRecord
    monkeypatch.setattr(
        logger, "makeRecord", lambda *args, **kw: made.append(1) or make(*args, **kw)
    )
    for number in range(1000):
        complain(logger, "failed", {"task": "t", "err": str(number)})
    assert len(made) == len(log.lines) == MOST
    log.now = SPAN_S
    complain(logger, "failed", {"task": "t", "err": "again"})
    assert [f"suppressed={1000 - MOST}" in each for each in log.lines[MOST:]] == [
        True,
        False,
    ]
    # those who follow the log get all of it
    watcher = logging.NullHandler()
    monkeypatch.setattr(ROOT, "handlers", [log, watcher])
    before = len(made)
    for number in range(100):
        complain(logger, "failed", {"task": "t", "err": str(number)})
    assert len(made) == before + 100


def test_other_tasks_and_other_lines_are_still_written() -> None:
    log = Written()
    for _ in range(1000):
        log.log("failed", task="t", node="a")
        log.log("point", task="t", node="a", level=logging.INFO)
    log.lines.clear()
    log.log("failed", task="u", node="a")
    log.log("failed", task="t", node="b")
    log.log("other", task="t", node="a")
    assert len(log.lines) == 3


def test_a_line_of_any_level_brings_the_count() -> None:
    log = Written()
    for _ in range(MOST + 5):
        log.log("failed", task="t")
    log.now = SPAN_S + 1
    log.log("http request", level=logging.INFO)
    assert [" suppressed=5" in each for each in log.lines[MOST:]] == [True, False]


def test_what_was_left_out_is_told_once_however_many_threads_log() -> None:
    now = 0.0
    told: list[str] = []

    def write(said: logging.LogRecord) -> None:
        nonlocal now
        told.append(vars(said)["task"])
        now += SPAN_S
        other = threading.Thread(target=repeats.filter, args=(record("other"),))
        other.start()
        other.join()

    repeats = Repeats(write, lambda: now)
    for _ in range(MOST + 1):
        for task in "abc":
            repeats.filter(record("failed", task=task))
    now = SPAN_S
    assert repeats.filter(record("failed", task="a"))
    assert told == ["a", "b", "c"]


def test_any_number_of_kinds_is_bounded() -> None:
    log = Written()
    for number in range(50_000):
        log.log("failed", task=f"t{number}")
    assert len(log.lines) < 2000


def test_what_a_script_shows_at_level_error_is_no_complaint() -> None:
    log = Written()
    for _ in range(1000):
        log.log("batch point", task="t", parts={"field_v": "1"})
    assert len(log.lines) == 1000
