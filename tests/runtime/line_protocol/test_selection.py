"""Points that no task reads are checked and counted, then dropped."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import LineProtocolError
from runtime.line_protocol import parse
from runtime.line_protocol.blocks import parse_columns
from runtime.line_protocol.rows import MOST_ERRORS
from runtime.line_protocol.selection import Selection
from runtime.line_protocol.times import Times

NAMES = ("cpu", "mem", "disk", "ä", r"a\,b")
LINES = st.lists(
    st.builds(
        "{0}{1} v={2}{3}".format,
        st.sampled_from(NAMES),
        st.sampled_from(["", ",host=a", ",host=b"]),
        st.sampled_from(["1", "2i", '"x"', "t", "1e3"]),
        st.sampled_from(["", " 5", " 7"]),
    ),
    min_size=1,
    max_size=30,
)


def shown(write: Any) -> list[tuple[str, dict[str, str], dict[str, object], int]]:
    return [(p.name, dict(p.tags), dict(p.fields), p.time) for p in write.points()]


@given(LINES, st.sets(st.sampled_from(["cpu", "mem", "ä", "a,b"])), st.booleans())
def test_what_is_wanted_is_what_it_would_be(
    lines: list[str], wanted: set[str], by_columns: bool
) -> None:
    body = "\n".join(lines).encode()
    every = parse(body, now=9)
    if by_columns:
        times, selection = Times.of("", 9), Selection(wanted)
        some = parse_columns(body, times, "", "", fewest=1, selection=selection)
    else:
        some = parse(body, now=9, wanted=wanted)
    assert shown(some) == [point for point in shown(every) if point[0] in wanted]
    assert Counter(dict(some.counts())) == Counter(p[0] for p in shown(every))


def test_names_without_end_are_counted_together() -> None:
    body = "\n".join(f"m{number} v=1" for number in range(15_000)).encode()
    write = parse(body, now=1, wanted={"m14999"})
    assert [frame.name for frame in write.frames] == ["m14999"]
    assert len(write.skipped) == 10_001
    assert write.skipped[""] == 4_999
    assert sum(count for _, count in write.counts()) == 15_000


@pytest.mark.parametrize("good", ["", "m v=1\n" * 10_000])
def test_a_line_that_nobody_reads_must_be_right_too(good: str) -> None:
    with pytest.raises(LineProtocolError, match="unable to parse 'bad'"):
        parse(f"{good}bad\n".encode(), now=1, wanted=())


@pytest.mark.parametrize("mark", ["", "\0"])
def test_errors_have_a_limit(mark: str) -> None:
    body = ("\n".join(f"bad{n}" for n in range(50_000)) + f"\n{mark}").encode()
    with pytest.raises(LineProtocolError) as told:
        parse(body, now=1)
    lines = str(told.value).splitlines()
    assert len(lines) == MOST_ERRORS + 1
    assert lines[0] == "unable to parse 'bad0': missing fields"
    assert lines[-1] == "too many lines do not parse; the rest was not read"
