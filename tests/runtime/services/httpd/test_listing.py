"""Requests for lists and their answers."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.compute.worker import Worker
from runtime.errors import RefusedError
from runtime.golang.json import dumps
from runtime.services.httpd.listing import Listed, Page, integer
from runtime.services.httpd.messages import Request, status_of


def request(query):
    return Request("GET", "/x", query_string=query)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a", "invalid syntax"),
        ("1.5", "invalid syntax"),
        ("1_0", "invalid syntax"),
        ("٣", "invalid syntax"),
        ("99999999999999999999", "value out of range"),
        ("9223372036854775808", "value out of range"),
        ("-9223372036854775809", "value out of range"),
        ("9" * 10_000, "value out of range"),
    ],
)
def test_what_is_not_an_integer_is_refused_as_in_go(text, problem):
    with pytest.raises(RefusedError, match=f"strconv.ParseInt: .*: {problem}$") as told:
        integer(request(f"limit={text}"), "limit", 1)
    assert status_of(told.value) == 400


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", 7),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("000000000000000000000005", 5),
    ],
)
def test_integers_have_64_bits(text, value):
    assert integer(request(f"limit={text}"), "limit", 7) == value


def test_a_page_is_not_negative_and_picks_what_is_there():
    with pytest.raises(
        RefusedError, match=r"offset parameter .-1. must not be negative"
    ):
        Page.of(request("offset=-1"))
    assert Page.of(request("")) == Page(0, 1000)
    assert Page.of(request("limit=5000&offset=2"), 100, 1000) == Page(2, 1000)
    assert Page.of(request("offset=9223372036854775807")).pick([1, 2]) == []
    assert Page(1, 2).pick("abcd") == "bc"


@given(st.lists(st.text()), st.dictionaries(st.text(), st.text(), max_size=2))
def test_a_list_in_parts_is_the_list_in_one(items, head):
    listed = Listed(head, "things", items, lambda item: {"a": item, "b": [item]})
    expected = dumps(listed.value, indent="    ").encode()
    if "things" not in head:
        assert b"".join(listed.parts()) == expected


def test_a_long_list_is_sent_as_it_is_encoded():
    worker = Worker("test")

    async def answers():
        whole = await Listed({}, "things", range(1000), str).answer(worker)
        answer = await Listed({}, "things", range(1001), str).answer(worker)
        parts = [part async for part in answer.stream]
        worker.close()
        return whole, parts

    whole, parts = asyncio.run(answers())
    assert whole.stream is None
    assert whole.body.count(b"\n") == 1003
    assert len(parts) > 2
    assert b"".join(parts).count(b"\n") == 1004
