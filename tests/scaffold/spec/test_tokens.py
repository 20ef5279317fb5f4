"""Tokens, recognized by their form."""

from __future__ import annotations

import pytest

from scaffold.spec.tokens import tokens_in


@pytest.mark.parametrize(
    "text",
    [
        "xoxb-short",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
        "AKIAIOSFODNN7EXAMPLE",
        "key-3ax6xnjp29jd6fds4gc373sgvjxteol0",
        "89a229ce1a8dbcf9ff30430fbe35eb4c0426574b",
        "deadbeefdeadbeef1deadbeef",
        "http://h/x?token=Zx81kQ92mPlw07Ty",
    ],
)
def test_tokens_are_found_in_texts(text: str) -> None:
    assert len(tokens_in(text)) == 1
    assert len(tokens_in(f"one {text}, and words")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello World",
        "my-channel-for-alerts",
        "keyboard-shortcuts-of-the-team",
        "patience-is-a-virtue",
        "key-value-store-name",
        "OverwriteQuietHours",
        "IssueCreateInputForTeams",
        "central-region-dc-01",
        "gpt-4o-mini-2024-07-18",
        "https://example.com/a/b",
        "2015-07-17T08:42:58Z",
        "+4915112345678",
        "a" * 64,
    ],
)
def test_plain_texts_have_none(text: str) -> None:
    assert tokens_in(text) == []
