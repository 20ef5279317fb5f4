"""Parts of an example that stand for a value."""

from __future__ import annotations

import pytest

from scaffold.inference.placeholders import key_of, placeholder


@pytest.mark.parametrize(
    ("text", "key"),
    [("<chat id>", "chat-id"), ("{{room}}", "room"), ("{room}", "room"), ("$ROOM", "room"),
     ("${ROOM_ID}", "room-id"), ("%ROOM%", "room"), ("YOUR_ROOM", "room"),
     ("your-room-here", "room"), ("[ROOM]", "room"), ("a <room> b", "room")],
)  # fmt: skip
def test_placeholders(text: str, key: str) -> None:
    found = placeholder(text)
    assert found is not None
    assert key_of(found.name) == key


@pytest.mark.parametrize(
    "text", ["<b>bold</b>", "mutation { a(b: $c) { d } }", "plain"]
)
def test_markup_is_no_placeholder(text: str) -> None:
    assert placeholder(text) is None
