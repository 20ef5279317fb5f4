"""The status page over the wire: who may see it, and which pages may press its button."""

from __future__ import annotations

import base64
from typing import Any

import pytest

CSP = (
    "default-src 'none'; style-src 'sha256-",
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
)
VISIT = {
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}


@pytest.fixture(scope="module")
def server(start_shared_kapacitord: Any) -> Any:
    return start_shared_kapacitord()


def test_the_page_loads_nothing_and_is_kept_nowhere(server: Any) -> None:
    answer = server.client().raw("GET", "/")
    assert answer.status == 200
    assert answer.text.startswith("<!DOCTYPE html>")
    headers = answer.headers
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    # without it a browser would send the page's own forms with `Origin: null`
    assert headers["Referrer-Policy"] == "same-origin"
    for part in CSP:
        assert part in headers["Content-Security-Policy"]
    for word in ("<script", "src=", "http://", "https://", "url("):
        assert word not in answer.text


def test_errors_have_the_same_headers(server: Any) -> None:
    for answer in (
        server.client().raw("GET", "/?topics=x"),
        server.client().raw("POST", "/?resend=1"),
    ):
        assert answer.status in (400, 404)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_head_gives_the_headers_alone(server: Any) -> None:
    get = server.client().raw("GET", "/")
    head = server.client().raw("HEAD", "/")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(get.body))
    assert {*head.headers} == {*get.headers}


@pytest.mark.parametrize("path", ["/index.html", "/x", "/kapacitor", "/kapacitor/v1/"])
def test_other_paths_are_not_found(server: Any, path: str) -> None:
    assert server.client().raw("GET", path).status == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_are_not_found(server: Any, method: str) -> None:
    assert server.client().raw(method, "/").status == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        VISIT,
        {**VISIT, "Origin": "https://evil.example"},
    ],
    ids=["origin", "null", "cross-site", "same-site", "navigation", "form"],
)
def test_pages_of_other_sites_cannot_press_the_button(
    server: Any, headers: dict[str, str]
) -> None:
    answer = server.client().raw("POST", "/?resend=1", "", headers)
    assert answer.status == 403


def test_its_own_form_can(server: Any) -> None:
    own = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    answer = server.client().raw("POST", "/?resend=1", "", own)
    assert (answer.status, "unknown delivery: 1" in answer.text) == (404, True)


def test_a_link_of_another_site_leads_here(server: Any) -> None:
    """Such as one in a chat; the page cannot be read or framed by where it is."""
    assert server.client().raw("GET", "/", None, VISIT).status == 200
    for change in (
        {"Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Mode": "cors"},
        {"Origin": "https://evil.example"},
    ):
        answer = server.client().raw("GET", "/", None, {**VISIT, **change})
        assert answer.status == 403, change
    api = server.client().raw("GET", "/kapacitor/v1/tasks", None, VISIT)
    assert api.status == 403


def test_a_strangers_name_of_the_server_is_refused(server: Any) -> None:
    answer = server.client().raw("GET", "/", None, {"Host": "rebound.example"})
    assert answer.status == 421


def basic(name: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:p'.encode()).decode()}"}


@pytest.fixture(scope="module")
def guarded(start_shared_kapacitord: Any) -> Any:
    """A server that asks who one is."""
    server = start_shared_kapacitord("[auth]\n  enabled = true\n  bcrypt-cost = 4")
    server.json("POST", "/users", {"name": "root", "password": "p", "type": "admin"})
    for permission in ("all", "api", "config_api", "write_points", "none"):
        user = {"name": permission, "password": "p", "permissions": [permission]}
        server.json("POST", "/users", {**user, "type": "normal"})
    server.stop()
    server.environment = {
        "KAPACITOR_HTTP_AUTH_ENABLED": "true",
        "KAPACITOR_HTTP_SHARED_SECRET": "shared",
    }
    server.start()
    return server


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_strangers_are_asked_for_a_password(guarded: Any, method: str) -> None:
    for headers in ({}, {"Authorization": "Basic cm9vdDp3cm9uZw=="}):
        answer = guarded.client().raw(method, "/", None, headers)
        assert answer.status == 401
        challenge = answer.headers["WWW-Authenticate"]
        assert challenge == 'Basic realm="kapacitor", charset="UTF-8"'
        assert b"<html" not in answer.body
    # programs get Kapacitor's answer
    api = guarded.client().raw(method, "/kapacitor/v1/tasks")
    assert (api.status, "WWW-Authenticate" in api.headers) == (401, False)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize(
    ("name", "is_allowed"),
    [
        *(("root", True), ("all", True), ("api", True)),
        *(("config_api", False), ("write_points", False), ("none", False)),
    ],
)
def test_the_page_needs_the_right_to_use_the_api(
    guarded: Any, method: str, name: str, is_allowed: bool
) -> None:
    answer = guarded.client().raw(method, "/", None, basic(name))
    allowed = 400 if method == "POST" else 200
    assert answer.status == (allowed if is_allowed else 403)
    assert (b"<html" in answer.body) == (is_allowed and method != "HEAD")


def test_links_carry_no_credentials(guarded: Any) -> None:
    answer = guarded.client().raw("GET", "/?u=root&p=p&topic=x")
    assert answer.status == 200
    assert "p=p" not in answer.text
