import pytest

from runtime.errors import ConfigError, DeliveryError
from runtime.secrets import Secret
from runtime.services.urls import below, check_url, form, join


@pytest.mark.parametrize(
    ("url", "segments", "query", "wanted"),
    [
        (
            "http://h/v2/room?x=1",
            ["my room/é", "notification"],
            {"auth_token": "t&k"},
            "http://h/v2/room/my%20room/%C3%A9/notification?auth_token=t%26k",
        ),
        ("http://h/v2/room", ["a/../b", "n"], None, "http://h/v2/room/b/n"),
        ("http://h", ["", "n"], {"t": ""}, "http://h/n?t="),
        ("http://h/a?x=1", ["b"], None, "http://h/a/b?x=1"),
        ("http://h/a?x=1", [], {"b": "2", "a": "1 2"}, "http://h/a?a=1+2&b=2"),
        ("http://h/a%2Fb", ["c"], None, "http://h/a/b/c"),
        ("localhost/v2", ["room"], None, "localhost/v2/room"),
        ("http://h//a/./b", ["/c/"], None, "http://h/a/b/c"),
    ],
)
def test_urls_are_extended_as_go_extends_them(url, segments, query, wanted):
    assert join(url, *segments, query=query) == wanted


def test_a_last_slash_is_kept_where_the_path_needs_it():
    assert join("http://h", "api/issue/", slash=True) == "http://h/api/issue/"
    assert join("http://h", "", slash=True, query={"a": "b"}) == "http://h/?a=b"


@pytest.mark.parametrize(
    ("url", "parts", "query", "wanted"),
    [
        ("http://h/t", ["kapacitor/cpu/serverA"], None, "http://h/t/kapacitor%2Fcpu%2FserverA"),
        ("http://h/t/", ["a b", "%41?#"], None, "http://h/t/a%20b/%2541%3F%23"),
        ("http://h/a%2Fb?x=1", ["c"], None, "http://h/a%2Fb/c?x=1"),
        ("http://h", ["", "n"], {"t": ""}, "http://h/n?t="),
        ("http://h/t?x=1", [], {"to": ["a b", "c"], "n": 1.5}, "http://h/t?n=1.5&to=a+b&to=c"),
        ("http://h/t", ["..."], {"to": ()}, "http://h/t/..."),
    ],
)  # fmt: skip
def test_parts_are_escaped_whole(url, parts, query, wanted):
    assert below(url, *parts, query=query) == wanted


@pytest.mark.parametrize("part", [".", ".."])
def test_parts_that_would_climb_are_refused(part):
    with pytest.raises(DeliveryError, match="cannot be a part of a path"):
        below("http://h/t", "a", part)


def test_lists_in_forms_repeat_their_key():
    table = {"to": ("a b", "c"), "n": 2, "x": 1.0, "ok": True, "none": []}
    assert form(table) == "to=a+b&to=c&n=2&x=1&ok=true"


@pytest.mark.parametrize("segments", [["../up", "n"], [".."], ["a", "../..", "b"]])
def test_segments_that_would_climb_are_refused(segments):
    with pytest.raises(
        DeliveryError, match=r'^"[^"]*\.\..*" leaves the path of the URL$'
    ):
        join("http://h/v2/room", *segments)


def test_what_is_no_url_is_not_shown():
    with pytest.raises(DeliveryError, match=r"^invalid URL$"):
        join("http://[secret", "a")


@pytest.mark.parametrize(
    "url", ["", "not a url", "localhost/v2", "http://h:80/a%20b", "mailto:x"]
)
def test_what_go_accepts(url):
    check_url(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://a b", 'invalid character " " in host name'),
        ("127.0.0.1:1/x", "first path segment in URL cannot contain colon"),
        ("http://[::1", "missing ']' in host"),
        ("http://h:x/", 'invalid port ":x" after host'),
        ("http://h/%zz", 'invalid URL escape "%zz"'),
        ("://h", "missing protocol scheme"),
        ("http://h/\n", "net/url: invalid control character in URL"),
    ],
)
def test_what_go_refuses(url, reason):
    with pytest.raises(ConfigError) as caught:
        check_url(url)
    shown = '"' + url.replace("\n", "\\n") + '"'
    assert str(caught.value) == f"invalid url {shown}: parse {shown}: {reason}"


def test_a_secret_url_is_not_shown():
    with pytest.raises(ConfigError) as caught:
        check_url(Secret("http://h:port/in-a-path"))
    assert str(caught.value).startswith('invalid url "***": parse "***": invalid port')


def test_a_text_of_ones_own():
    with pytest.raises(ConfigError, match=r'^invalid URL: parse "http://a b": invalid'):
        check_url("http://a b", "invalid URL")


@pytest.mark.parametrize(
    "url",
    [
        "ht!tp://user:5ECRET@h",
        "http://user:5ECRET-without-host/",
        "http://user:5ECRET@h/%zz",
        "http://h/%zz?token=5ECRET",
    ],
)
def test_no_refusal_shows_what_is_secret_in_a_url(url):
    with pytest.raises(ConfigError, match="invalid url") as caught:
        check_url(url)
    assert "5ECRET" not in str(caught.value)
