import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.alert.types import Event, EventState
from runtime.errors import DeliveryError
from runtime.outbound.client import Response
from runtime.secrets import Secret
from runtime.services import expressions
from runtime.testing.events import TIME, sample_event
from runtime.units import MILLISECOND


def test_get_takes_from_maps_only():
    assert expressions.get({"a": 1}, "a") == 1
    assert expressions.get({}, "a") == ""
    assert expressions.get(None, "a", 5) == 5
    assert expressions.get([1], "a", None) is None


def test_without_empty_keeps_what_is_not_named():
    table = {"a": "", "b": "", "c": 0, "d": "x"}
    assert expressions.without_empty(table, "b", "c", "d") == {"a": "", "d": "x"}


def test_authorization():
    assert expressions.authorization("Bearer", Secret("k")) == {
        "Authorization": "Bearer k"
    }
    assert expressions.authorization("Bearer", Secret()) == {}
    assert expressions.basic_auth("é", "p") == {"Authorization": "Basic w6k6cA=="}
    assert expressions.basic_auth("key", "") == {"Authorization": "Basic a2V5Og=="}
    assert expressions.basic_auth("", "") == {}


ANYTHING = (None, "", "text", 0, -1.5, True, [1, "a"], ("a",), {"a": 1}, [], {})


@pytest.mark.parametrize("value", ANYTHING)
def test_what_takes_anything_never_raises(value):
    items = expressions.items_of(value)
    assert list(items) == (
        list(value) if isinstance(value, list | tuple | dict) else []
    )
    wanted = value if isinstance(value, dict) else {}
    assert dict(expressions.entries_of(value)) == wanted
    assert expressions.given("key", value) == ({"key": value} if value else {})


def test_encodings():
    assert expressions.b64("a?>~") == "YT8+fg=="
    assert expressions.b64url("a?>~") == "YT8-fg"
    assert expressions.quote("a b/é") == "a%20b%2F%C3%A9"
    assert expressions.html("<a & 'b'>") == "&lt;a &amp; &#x27;b&#x27;&gt;"
    signature = expressions.hmac_sha256("key", "text")
    assert signature == "avqQRqlXnK0UOjhMG1ZLmiUNJ9b2pj+fIL86dZTJ4sY="
    digits = expressions.hmac_sha256_hex("key", "text")
    assert base64.b64encode(bytes.fromhex(digits)).decode() == signature


def test_hashes():
    assert expressions.sha256("abc") == "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
    assert expressions.sha256_hex("abc").startswith("ba7816bf8f01cfea")
    assert expressions.md5("é") == "66ddcd97cfdeabb2f6fb8a999b4bc76f"
    # the vectors of the algorithm's authors
    assert expressions.fnv1a("") == "cbf29ce484222325"
    assert expressions.fnv1a("foobar") == "85944171f73967e8"
    assert expressions.uuid("http://example.com/") == (
        "0a300ee9-f9e4-5697-a51a-efc7fafaba67"
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("&lt;a&gt; &amp;amp; &#39;&#x27;", "<a> &amp; ''"),
        ("a &nope; &", "a &nope; &"),
        ("&#xD800;&#x110000;", "\ufffd\ufffd"),
    ],
)
def test_character_references_are_replaced(text, wanted):
    assert expressions.unescape(text) == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (7, 7),
        (-7.9, -7),
        (True, 1),
        (" 12 ", 12),
        ("-12.9", -12),
        ("+3.", 3),
        ("1e3", 0),
        ("12a", 0),
        ("", 0),
        ("\u0661", 0),
        (float("nan"), 0),
        (float("inf"), 0),
        (1e300, 0),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", 0),
        ("-9223372036854775808", -(2**63)),
        ("9" * 5000, 0),
        (None, 0),
        ([1], 0),
        ({}, 0),
    ],
)
def test_integers(value, wanted):
    assert expressions.integer(value) == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        *((5, 5.0), (0.5, 0.5), ("5", 5.0), (" 2.5 ", 2.5), (0, None), (-1, None)),
        *((True, None), ("soon", None), ("", None), (None, None), ([5], None)),
        *((float("nan"), None), (float("inf"), None), (1.5e18, None), ("9" * 20, None)),
    ],
)
def test_times_to_wait(value, wanted):
    assert expressions.waiting_s(value) == wanted


def test_items_of_lists():
    assert expressions.first(["a", "b"]) == "a"
    assert expressions.first(()) == ""
    assert expressions.nonempty(["a", "", None, 0, "b"]) == ("a", "b")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("abcdef", 6, "…"), "abcdef"),
        (("abcdefg", 6, "…"), "abcde…"),
        (("abcdefg", 2, "..."), ".."),
        (("abcdefg", 0, "…"), ""),
        (("abcdefg", -3), ""),
        (("", -3), ""),
        (("ééé", 6, "…", "bytes"), "ééé"),
        (("éééé", 7, "", "bytes"), "ééé"),
        (("éééé", 7, "…", "bytes"), "éé…"),
        (("éééé", 2, "…", "bytes"), ""),
        (("a€", 3, "", "bytes"), "a"),
        (("a\ud800bc", 4, "", "bytes"), "a\ufffd"),
        (("éééé", -1, "", "bytes"), ""),
    ],
)
def test_long_texts_are_cut(arguments, wanted):
    assert expressions.truncated(*arguments) == wanted


@given(st.text(), st.integers(-2, 12), st.text(max_size=4))
def test_a_cut_text_has_no_more_than_is_allowed(text, length, end):
    most = max(length, 0)
    assert len(expressions.truncated(text, length, end)) <= most
    made = expressions.truncated(text, length, end, "bytes")
    assert len(made.encode(errors="replace")) <= most


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00.000000001+01:00", 1),
        ("2017-07-14T02:40:00.5Z", 1_500_000_000_500_000_000),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
    ],
)
def test_times_are_parsed(text, wanted):
    assert expressions.parse_time(text) == wanted


@pytest.mark.parametrize(
    "text",
    ["", "now", "2017-13-14T02:40:00Z", "2017-07-14", "\uff12017-07-14T02:40:00Z"],
)
def test_what_is_no_time(text):
    with pytest.raises(
        DeliveryError, match="is not a time such as 2017-07-14T02:40:00Z"
    ):
        expressions.parse_time(text)


@pytest.mark.parametrize(
    ("digits", "wanted"),
    [
        (None, "2017-07-14T02:40:00.005Z"),
        (0, "2017-07-14T02:40:00Z"),
        (3, "2017-07-14T02:40:00.005Z"),
        (9, "2017-07-14T02:40:00.005000000Z"),
    ],
)
def test_times(digits, wanted):
    assert expressions.rfc3339(TIME + 5 * MILLISECOND, digits) == wanted


def test_times_as_numbers():
    assert expressions.unix(TIME) == 1_500_000_000
    assert expressions.unix_ms(TIME) == 1_500_000_000_000
    assert expressions.seconds(1_500 * MILLISECOND) == 1.5


def test_rows_and_results():
    event = sample_event()
    assert expressions.first_row(event).name == "cpu"
    assert expressions.result_tree(event)["series"][0]["columns"] == [
        "time",
        "usage_idle",
    ]
    empty = Event("", EventState("id"))
    assert expressions.first_row(empty).name == ""
    assert expressions.result_tree(empty) == {"series": None}
    assert expressions.event_tree(event)["level"] == "CRITICAL"


@pytest.mark.parametrize(
    ("key", "body", "wanted"),
    [
        ("error", '{"error": "boom"}', "boom"),
        ("error.message", '{"error": {"message": "boom"}}', "boom"),
        ("error", '{"error": {}}', None),
        ("error", "not json", None),
        ("error", "[1]", None),
        ("error", "", None),
    ],
)
def test_the_error_text_of_an_answer(key, body, wanted):
    answer = Response(401, body.encode())
    other = f"failed to understand HipChat response. code: 401 content: {body}"
    assert expressions.error_text(answer, key, "HipChat") == (wanted or other)


def test_why_an_answer_is_no_json():
    assert expressions.parse_error(Response(200, b"{}")) == ""
    assert expressions.parse_error(Response(200, b"<html>"))


def test_matches():
    assert expressions.matches("cpu", "^c")
    assert not expressions.matches("cpu", "^x")
    assert json.dumps(expressions.matches("cpu", "p")) == "true"


ODD = [None, "", "5", True, [], {}, float("nan"), b"x", object()]


@pytest.mark.parametrize("odd", ODD, ids=lambda value: type(value).__name__)
def test_what_has_no_order_is_neither_less_nor_more(odd):
    for compare in (
        expressions.less,
        expressions.at_most,
        expressions.more,
        expressions.at_least,
    ):
        assert compare(odd, 400) is False
        assert compare(400, odd) is False


@given(
    *[st.one_of(st.integers(), st.floats(), st.text(), st.booleans(), st.none())] * 2
)
def test_order_is_pythons_where_there_is_one(left, right):
    kinds = {type(left), type(right)}
    has_order = kinds == {str} or kinds <= {int, float}
    wanted = (left < right, left <= right) if has_order else (False, False)
    assert (expressions.less(left, right), expressions.at_most(left, right)) == wanted
    assert expressions.more(right, left) == expressions.less(left, right)
    assert expressions.at_least(right, left) == expressions.at_most(left, right)


def test_contains():
    assert expressions.contains("rate limited", "limit")
    assert expressions.contains(["a", ["b"]], ["b"])
    assert expressions.contains({"a": 1}, "a")
    for holder, item in [
        *(("limit", odd) for odd in (None, 5, [], {})),
        *((odd, "x") for odd in (None, 5, True, [], {}, "")),
        ({"a": 1}, ["a"]),
    ]:
        assert not expressions.contains(holder, item)


def test_length():
    assert [expressions.length(each) for each in ("ab", [1], {"a": 1, "b": 2})] == [
        2,
        1,
        2,
    ]
    assert [expressions.length(each) for each in (None, 5, True, 0.5)] == [0] * 4


def test_joined_takes_items_of_every_type():
    assert expressions.joined([None, 5, True, "x", ["y"], {}], ",") == (
        "<nil>,5,true,x,[y],map[]"
    )
    assert [expressions.joined(each, ",") for each in (None, 5, "ab", {})] == [""] * 4


def test_matches_in_linear_time():
    assert not expressions.matches("a" * 100_000 + "!", "(a+)+$")
    assert expressions.matches("\ud800x", "x$")
    with pytest.raises(DeliveryError, match="error parsing regexp"):
        expressions.matches("x", "(?=x)")
