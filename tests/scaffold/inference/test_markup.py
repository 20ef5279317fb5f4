"""XML of examples."""

from __future__ import annotations

import pytest

from scaffold.inference.curl import request
from scaffold.inference.draft import drafted
from scaffold.inference.markup import pieces
from scaffold.inference.roles import proposals
from scaffold.spec.parse import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<a>b</a>", {"a": "b"}),
        ("<s:a x='1'><b>c &amp; d</b><e/></s:a>", {"x": "1", "b": "c & d"}),
        ("<a><![CDATA[<b>]]></a>", {"a": "<b>"}),
        ('<a xmlns="urn:x" xmlns:s="urn:y"><b/></a>', {}),
        ("<a><b></b></a>", {"b": ""}),
        ("plain", {}),
    ],
)
def test_values(text: str, expected: dict[str, str]) -> None:
    found = pieces(text)
    assert {each.name: each.text for each in found} == expected


def test_the_message_is_a_part_of_it() -> None:
    sent = request(
        "curl https://h.io/x -H 'Content-Type: text/xml; charset=utf-8' "
        "-d '<m k=\"a ${\"><text>a &lt; b</text><to>c&amp;d</to></m>'"
    )
    spec = parse(drafted("quoll", sent, proposals(sent)).text)
    [example] = spec.examples
    assert example.event["message"] == "a < b"
    assert example.options == {"to": "c&d"}
    assert (
        example.want["text"] == '<m k="a ${"><text>a &lt; b</text><to>c&amp;d</to></m>'
    )
    assert example.want["headers"] == {"Content-Type": "text/xml; charset=utf-8"}
    assert "${html(event.message)}" in spec.text


def test_a_signature_is_no_setting() -> None:
    for text in (
        "curl https://h.io/x -H 'X-Signature: abc' -d text=a",
        "curl 'https://h.io/x?Signature=abc' -d text=a",
        'curl https://h.io/x -H \'Authorization: S a="b",signature="c"\' -d text=a',
    ):
        sent = request(text)
        doubts = drafted("quoll", sent, proposals(sent)).doubts
        assert any("signs one request" in each for each in doubts)
