"""Email addresses are read as Go reads them."""

import json
from pathlib import Path

import pytest

from runtime.golang.addresses import EmailAddressError, parse_address
from runtime.services.expressions import address_error

# Go 1.26, net/mail, ParseAddress
TABLE = [
    json.loads(line)
    for line in (Path(__file__).parent / "addresses_by_go.jsonl")
    .read_text()
    .splitlines()
]
# a local part that must be quoted stays so here, as SMTP needs it
QUOTED = {"a b@x.org": '"a b"@x.org', "a\tb@x": '"a\tb"@x'}


@pytest.mark.parametrize("row", TABLE, ids=[json.dumps(row["text"]) for row in TABLE])
def test_as_go(row):
    text, expected = row["text"], row.get("error")
    if expected is not None:
        with pytest.raises(EmailAddressError) as caught:
            parse_address(text)
        assert str(caught.value) == expected
        return
    address = QUOTED.get(row["address"], row["address"])
    assert parse_address(text) == (row["name"], address)
    # sent addresses can be read again
    assert parse_address(address).address == address


def test_the_first_bad_address_of_a_list():
    assert address_error(("a@b.c", "Jo <jo@x.org>")) == ""
    assert address_error(()) == ""
    expected = "\"x\", mail: missing '@' or angle-addr"
    assert address_error(["a@b.c", "x", "y"]) == expected
    assert address_error([""]) == '"", mail: no address'


def test_a_lone_address_may_be_missing():
    assert address_error("") == ""
    assert address_error("a@b.c") == ""
    assert address_error(" ") == '" ", mail: no address'
