"""Users, credentials, tokens and privileges, seen from outside."""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

BASE = "/kapacitor/v1"
SECRET = "shared"
ADMIN = ("root", "toor")


def ask(
    server: Any,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    content = body if isinstance(body, str) else json.dumps(body)
    try:
        data = None if body is None else content.encode()
        connection.request(method, BASE + path, data, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def basic(name: str, password: str) -> dict[str, str]:
    token = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


def jwt(
    claims: object,
    *,
    secret: str = SECRET,
    algorithm: str = "HS256",
    digest: str = "sha256",
) -> dict[str, str]:
    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    header = part(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    payload = part(json.dumps(claims).encode())
    signed = f"{header}.{payload}".encode()
    signature = part(hmac.new(secret.encode(), signed, digest).digest())
    return {"Authorization": f"Bearer {header}.{payload}.{signature}"}


def later() -> int:
    return int(time.time()) + 1000


AUTH = """\
[auth]
  enabled = true
  bcrypt-cost = 4
"""


@pytest.fixture(scope="module")
def server(start_shared_kapacitord) -> Any:
    """A server with users, started without and then with the duty to say who one is."""
    server = start_shared_kapacitord(AUTH)
    users: list[dict[str, Any]] = [
        {"name": ADMIN[0], "password": ADMIN[1], "type": "admin"},
        {"name": "all", "password": "p", "type": "normal", "permissions": ["all"]},
        {"name": "api", "password": "p", "type": "normal", "permissions": ["api"]},
        {
            "name": "conf",
            "password": "p",
            "type": "normal",
            "permissions": ["config_api"],
        },
        {
            "name": "writer",
            "password": "p",
            "type": "normal",
            "permissions": ["write_points"],
        },
        {"name": "none", "password": "p", "type": "normal", "permissions": ["none"]},
    ]
    for user in users:
        assert ask(server, "POST", "/users", user)[0] == 200
    server.stop()
    # the [http] table is written by the fixture; the environment sets the rest
    server.environment = {
        "KAPACITOR_HTTP_AUTH_ENABLED": "true",
        "KAPACITOR_HTTP_SHARED_SECRET": SECRET,
    }
    start(server)
    return server


def start(server: Any) -> None:
    """Start a server that answers a ping only to users."""
    call = server.call

    def ping(method: str, path: str, *more: Any) -> tuple[int, str]:
        return ask(server, method, path.removeprefix(BASE), None, basic(*ADMIN))

    server.call = ping
    try:
        server.start()
    finally:
        server.call = call


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({}, "unable to parse authentication credentials"),
        ({"Authorization": "Basic !!!"}, "unable to parse authentication credentials"),
        ({"Authorization": "Digest x"}, "unable to parse authentication credentials"),
        (basic("", "x"), "username required"),
        (basic("root", "wrong"), "authorization failed"),
        (basic("nobody", "x"), "authorization failed"),
        (
            jwt({"exp": 9e9, "username": "root"}, secret="wrong"),
            "invalid token: signature is invalid",
        ),
        (jwt({"exp": 5, "username": "root"}), "invalid token: Token is expired"),
        (jwt({"username": "root"}), "token expiration required"),
        (jwt({"exp": 0, "username": "root"}), "token expiration required"),
        (jwt({"exp": 9e9}), "username in token must be a string"),
        (jwt({"exp": 9e9, "username": 5}), "username in token must be a string"),
        (jwt({"exp": 9e9, "username": ""}), "token must contain a username"),
        (
            jwt({"exp": 9e9, "username": "nouser"}),
            'retrieving user "nouser" from store: no user exists',
        ),
        (
            jwt({"exp": 9e9, "username": "root"}, algorithm="none"),
            "invalid token: unexpected signing method: none",
        ),
        (
            jwt({"exp": 9e9, "username": "root"}, algorithm="RS256"),
            "invalid token: unexpected signing method: RS256",
        ),
        (
            {"Authorization": "Bearer a.b"},
            "invalid token: token contains an invalid number of segments",
        ),
    ],
)
def test_strangers(server: Any, headers: dict[str, str], text: str) -> None:
    quoted = json.dumps(text)
    expected = f'{{"error":{quoted},"message":{quoted}}}'
    assert ask(server, "GET", "/ping", None, headers) == (401, expected)


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")],
)
def test_tokens(server: Any, algorithm: str, digest: str) -> None:
    headers = jwt(
        {"exp": later(), "username": "root"}, algorithm=algorithm, digest=digest
    )
    assert ask(server, "GET", "/ping", None, headers)[0] == 204


def test_credentials_in_the_query(server: Any) -> None:
    assert ask(server, "GET", "/ping?u=root&p=toor")[0] == 204
    assert ask(server, "GET", "/ping?u=root&p=wrong")[0] == 401
    assert ask(server, "GET", "/ping?u=root")[0] == 401
    assert "toor" not in server.log


PATHS = {
    "ping": ("GET", "/ping", 204),
    "config": ("GET", "/config", 200),
    "tasks": ("GET", "/tasks", 200),
    "topics": ("GET", "/alerts/topics", 200),
    "users": ("GET", "/users", 200),
}


@pytest.mark.parametrize(
    ("user", "allowed"),
    [
        ("all", {"ping", "config", "tasks", "topics", "users"}),
        ("api", {"ping", "tasks", "topics", "users"}),
        ("conf", {"ping", "config"}),
        ("writer", {"ping"}),
        ("none", set()),
    ],
)
def test_permissions(server: Any, user: str, allowed: set[str]) -> None:
    for name, (method, path, status) in PATHS.items():
        found, text = ask(server, method, path, None, basic(user, "p"))
        if name in allowed:
            assert found == status, name
            continue
        told = (
            f'user {user} does not have "read" privilege for API endpoint '
            f'"/kapacitor/v1{path}"'
        )
        assert found == 403
        quoted = json.dumps(told)
        assert text == f'{{"error":{quoted},"message":{quoted}}}'


@pytest.mark.parametrize(
    ("method", "privilege"), [("GET", "read"), ("POST", "write"), ("DELETE", "delete")]
)
def test_privileges_of_methods(server: Any, method: str, privilege: str) -> None:
    path = "/users/x" if method == "DELETE" else "/users"
    status, text = ask(server, method, path, {}, basic("conf", "p"))
    assert status == 403
    assert json.loads(text)["error"] == (
        f'user conf does not have "{privilege}" privilege for API endpoint '
        f'"/kapacitor/v1{path}"'
    )


def test_who_may_write(server: Any) -> None:
    line = "cpu v=1 1"
    assert ask(server, "POST", "/write?db=d", line, basic(*ADMIN)) == (204, "")
    assert ask(server, "POST", "/write?db=d", line, basic("all", "p")) == (
        401,
        '"all" user is not authorized to write to database "d"\n',
    )
    assert ask(server, "POST", "/write?db=d", line)[0] == 401
    assert ask(server, "POST", "/write?db=d", line, basic("api", "p"))[0] == 403
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", "/write?db=d", line)
    assert connection.getresponse().status == 401
    connection.close()


def test_options_need_no_credentials(server: Any) -> None:
    assert ask(server, "OPTIONS", "/users")[0] == 200


def test_the_life_of_a_user(server: Any) -> None:
    def admin(method: str, path: str, body: object = None) -> tuple[int, Any]:
        status, text = ask(server, method, path, body, basic(*ADMIN))
        return status, json.loads(text) if text else None

    user = {"name": "bob", "password": "b", "type": "normal", "permissions": ["api"]}
    shown = {
        "link": {"rel": "self", "href": "/kapacitor/v1/users/bob"},
        "name": "bob",
        "type": "normal",
        "permissions": ["api"],
    }
    assert admin("POST", "/users", user) == (200, shown)
    assert admin("GET", "/users/bob") == (200, shown)
    listed = admin("GET", "/users")[1]["users"]
    assert shown in listed
    assert ask(server, "GET", "/tasks", None, basic("bob", "b"))[0] == 200
    # an absent list changes nothing, an empty one revokes everything
    status, found = admin("PATCH", "/users/bob", {"password": "c"})
    assert (status, found["permissions"]) == (200, ["api"])
    assert ask(server, "GET", "/tasks", None, basic("bob", "b"))[0] == 401
    assert ask(server, "GET", "/tasks", None, basic("bob", "c"))[0] == 200
    admin("PATCH", "/users/bob", {"permissions": []})
    assert ask(server, "GET", "/tasks", None, basic("bob", "c"))[0] == 403
    assert admin("DELETE", "/users/bob") == (204, None)
    assert admin("DELETE", "/users/bob") == (204, None)
    assert ask(server, "GET", "/tasks", None, basic("bob", "c"))[0] == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("GET", "/users/nobody", None, 404, "no user exists"),
        ("GET", "/users/", None, 400, "must specify username on path"),
        ("POST", "/users", "{", 400, "invalid JSON"),
        ("POST", "/users", {}, 400, "username is required"),
        ("POST", "/users", {"name": "x"}, 400, "password is required"),
        (
            "POST",
            "/users",
            {"name": "a b", "password": "x"},
            400,
            "username must contain only letters, numbers, '-', '.', '@' and '_'. "
            '"a b"',
        ),
        (
            "PATCH",
            "/users/nobody",
            {"password": "x"},
            500,
            "failed to create user: updating user: no user exists",
        ),
    ],
)
def test_users_that_are_refused(
    server: Any, method: str, path: str, body: object, status: int, text: str
) -> None:
    found, answer = ask(server, method, path, body, basic(*ADMIN))
    assert (found, json.loads(answer)["error"]) == (status, text)


def test_a_user_that_exists_is_not_replaced(server: Any) -> None:
    user = {"name": "api", "password": "other", "type": "admin"}
    ask(server, "POST", "/users", user, basic(*ADMIN))
    assert ask(server, "GET", "/tasks", None, basic("api", "other"))[0] == 401
    assert ask(server, "GET", "/tasks", None, basic("api", "p"))[0] == 200


HOSTILE: list[dict[str, str]] = [
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer " + "a" * 5000 + "..b"},
    {"Authorization": "Bearer .."},
    {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
    {"Authorization": "Basic " + base64.b64encode(b"nocolon").decode()},
    {"Authorization": "Basic " + base64.b64encode(b"root:" + b"x" * 5000).decode()},
    {"Authorization": "Basic " + base64.b64encode(b"a b\n:x").decode()},
    {"Authorization": "Basic " + base64.b64encode(b"~subscriber:tok").decode()},
    {"Authorization": "Bearer é.é.é"},
    {"Authorization": "Bearer a.é"},
    {"Authorization": "Basic é"},
    {"Authorization": "é é"},
    {"Authorization": "Bearer " + base64.b64encode(b"[" * 5000).decode() + ".a.b"},
    jwt({"exp": "soon", "username": "root"}),
    jwt({"exp": -1, "username": "root"}),
    jwt({"exp": True, "username": "root"}),
    jwt([1]),
    jwt("text"),
    jwt({"exp": 9e9, "username": "root\x00"}),
]


@pytest.mark.parametrize("headers", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_credentials(server: Any, headers: dict[str, str]) -> None:
    before = len(server.log)
    for path in ("/ping", "/tasks"):
        status, text = ask(server, "GET", path, None, headers)
        assert status == 401
        assert json.loads(text)["error"]
    assert ask(server, "POST", "/write?db=d", "cpu v=1", headers)[0] == 401
    assert "Traceback" not in server.log[before:]
