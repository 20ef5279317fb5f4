import pickle
from dataclasses import dataclass, field

import pytest

from runtime.secrets import NO_SECRET, Secret, hidden, redact, secrets_in


@dataclass(frozen=True)
class Config:
    token: Secret = NO_SECRET
    room: str = ""
    more: dict[str, Secret] = field(default_factory=dict)


def test_a_secret_shows_itself_nowhere():
    secret = Secret("hush")
    assert f"{secret} {secret!r} {[secret]}" == "*** *** [***]"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_finds_the_secrets_of_a_configuration():
    config = Config(Secret("a"), "room", {"k": Secret("b"), "n": NO_SECRET})
    assert list(secrets_in((config, [Secret("c")]))) == [
        Secret("a"),
        Secret("b"),
        Secret("c"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        'pa/ss w"rd é',
        "pa/ss%20w%22rd%20%C3%A9",
        "pa%2Fss%20w%22rd%20%C3%A9",
        "pa%2Fss+w%22rd+%C3%A9",
        'pa/ss w\\"rd é',
        'pa/ss w\\"rd \\u00e9',
        "cGEvc3MgdyJyZCDDqQ==",
    ],
)
def test_redacts_a_secret_in_every_usual_form(text):
    assert redact(f"<{text}>", [Secret('pa/ss w"rd é')]) == "<***>"


def test_a_secret_that_exists_is_hidden_in_what_is_logged():
    secret = Secret("long-enough/1")
    same = Secret("long-enough/1")
    passing = Secret("of-this-moment", is_known=False)
    assert hidden("a long-enough/1 b long-enough%2F1 c") == "a *** b *** c"
    assert hidden(passing.reveal()) == "of-this-moment"
    del secret
    assert hidden("long-enough/1") == "***"
    del same
    short = Secret("short")
    assert hidden("long-enough/1 short") == "long-enough/1 short"
    assert short


def test_texts_without_utf8_show_no_secret_either():
    known = Secret("pa55word-of-mine")
    other = Secret("\udcffescaped-bytes")
    assert hidden(f"\ud800 {known.reveal()} \udcff") == "\ud800 *** \udcff"
    assert hidden(f"a {other.reveal()} b") == "a *** b"
    assert hidden("a \ufffdescaped-bytes b") == "a *** b"
    assert hidden(f"a {known.reveal()} b") == "a *** b"
    assert redact("a %EF%BF%BDescaped-bytes b", [other]) == "a *** b"


def test_the_public_community_of_traps_is_not_hidden_in_paths_that_are_logged():
    community, other = Secret("kapacitor"), Secret("kapacitor-7")
    shown = hidden("uri=/kapacitor/v1/ping path=/var/lib/kapacitor.db c=kapacitor-7")
    assert shown == "uri=/kapacitor/v1/ping path=/var/lib/kapacitor.db c=***"
    assert (str(community), str(other)) == ("***", "***")
