"""Secret parts of URLs, in logs and in responses of the API."""

import pytest

from runtime.secrets.urls import hidden_url, shown_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://u:p@h:1/a?b=c&d=&e", "http://***@h:1/a?b=***&d=&e"),
        ("https://h/bot1234:ABC/sendMessage", "https://h/***/sendMessage"),
        (
            "https://hooks/services/T0/B0/abcdefghijklmnopqrstuvwx",
            "https://hooks/services/T0/B0/***",
        ),
        ("http://h/v2/room/notification", "http://h/v2/room/notification"),
        ("user:password@h/x", "user:***/x"),
    ],
)
def test_what_may_be_secret_is_hidden_in_logs_and_answers(url, shown):
    assert shown_url(url) == hidden_url(url) == shown


def test_logs_do_without_what_is_no_url():
    assert shown_url("http://[::1") == "***"


@pytest.mark.parametrize(
    "url",
    [
        *("", "http://h", "HTTP://H/?", "http://h/a?b=&c#d", "not%20a%20url", "//h/x"),
        'http://h/{{ .ID }}?level={{ .Level }}&x={{ index .Tags "a:b" }}',
        'http://{{ .Name }}@h/{{ if eq .Level "OK" }}a{{ else }}b{{ end }}',
    ],
)
def test_answers_show_other_urls_to_the_letter(url):
    assert hidden_url(url) == url


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("http://h/{{ .ID }}?k={{ .Level }}x", "http://h/{{ .ID }}?k=***"),
        ("http://u:{{ .ID }}@h/?a={{ .ID }}", "http://***@h/?a={{ .ID }}"),
        ("http://h/#0123456789abcdefghijklmn", "http://h/#***"),
        ("ht!tp://user:SECRET@h", "ht!tp://***"),
        ("http://***@h/?a=***", "http://***@h/?a=***"),
    ],
)
def test_answers_hide_what_stands_beside_templates(url, hidden):
    assert hidden_url(url) == hidden
    assert hidden_url(hidden) == hidden
