"""Users and authentication of a real server, on the wire."""

import base64
import hashlib
import hmac
import json
import socket
import time
from typing import Any

import pytest

V1 = "/kapacitor/v1"
AUTH = "[auth]\n  enabled = true\n  bcrypt-cost = 4\n"


def basic(user: str, password: str) -> dict[str, str]:
    text = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


def bearer(claims: dict[str, object], secret: str = "canary-shared") -> dict[str, str]:
    def encoded(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    text = ".".join(
        encoded(json.dumps(each).encode()) for each in ({"alg": "HS256"}, claims)
    )
    signature = encoded(hmac.digest(secret.encode(), text.encode(), hashlib.sha256))
    return {"Authorization": f"Bearer {text}.{signature}"}


ROOT = basic("root", "canary-root")
USERS: list[dict[str, object]] = [
    {"name": "root", "password": "canary-root", "type": "admin"},
    {"name": "bob", "password": "canary-bob", "permissions": ["api"]},
    {"name": "writer", "password": "w", "permissions": ["write_points"]},
    {"name": "nobody", "password": "n", "permissions": ["none"]},
    {"name": "all", "password": "a", "permissions": ["all"]},
]


@pytest.fixture
def server(start_kapacitord: Any) -> Any:
    """A server that has users and does not ask for them yet."""
    return start_kapacitord(AUTH)


def closed(server: Any) -> Any:
    """`server` with users, after a restart that asks for credentials."""
    for user in USERS:
        status, text = server.call("POST", f"{V1}/users", user)
        assert status == 200, text
    server.stop()
    server.environment = {
        "KAPACITOR_HTTP_AUTH_ENABLED": "true",
        "KAPACITOR_HTTP_SHARED_SECRET": "canary-shared",
    }
    server.start()
    return server


@pytest.fixture
def shut(server: Any) -> Any:
    """A server that asks for credentials, for tests that change or stop it."""
    return closed(server)


@pytest.fixture(scope="module")
def gate(start_shared_kapacitord: Any) -> Any:
    """A server that asks for credentials."""
    return closed(start_shared_kapacitord(AUTH))


def error(answer: tuple[int, str]) -> tuple[int, str]:
    status, text = answer
    return status, json.loads(text)["error"]


def test_users_are_off_by_default(start_kapacitord: Any) -> None:
    server = start_kapacitord()
    assert server.call("GET", f"{V1}/users")[0] == 404
    assert server.call("GET", f"{V1}/ping", headers=basic("x", "y"))[0] == 204


def test_the_users_api(server: Any) -> None:
    def ask(method: str, path: str, body: object = None) -> tuple[int, str]:
        status, text = server.call(method, f"{V1}{path}", body)
        return (status, text) if status < 400 else error((status, text))

    made = ask("POST", "/users", USERS[1])
    shown = """{
    "link": {
        "rel": "self",
        "href": "/kapacitor/v1/users/bob"
    },
    "name": "bob",
    "type": "normal",
    "permissions": [
        "api"
    ]
}"""
    assert made == (200, shown)
    assert ask("GET", "/users/bob") == (200, shown)
    [listed] = json.loads(ask("GET", "/users")[1])["users"]
    assert list(listed) == ["link", "name", "permissions", "type"]
    assert ask("GET", "/users/ann") == (404, "no user exists")
    assert ask("GET", "/users/") == (400, "must specify username on path")
    assert ask("POST", "/users", "{") == (400, "invalid JSON")
    assert ask("POST", "/users", {"name": "x", "type": "king"}) == (
        400,
        "invalid JSON",
    )
    assert ask("POST", "/users", {}) == (400, "username is required")
    assert ask("POST", "/users", {"name": "a b"}) == (
        400,
        "username must contain only letters, numbers, '-', '.', '@' and '_'. \"a b\"",
    )
    assert ask("POST", "/users", {"name": "ann"}) == (400, "password is required")
    assert ask("POST", "/users", {"name": "ann", "password": "x" * 73})[0] == 400
    assert ask("POST", "/users", USERS[1]) == (400, "user already exists")
    assert ask("PATCH", "/users/ann", {}) == (
        500,
        "failed to create user: updating user: no user exists",
    )

    def permissions(body: object) -> tuple[object, object]:
        user = json.loads(ask("PATCH", "/users/bob", body)[1])
        return user["type"], user["permissions"]

    assert permissions({"password": "other"}) == ("normal", ["api"])
    assert permissions({"permissions": ["all", "none"]}) == ("normal", ["all", "none"])
    assert permissions({"permissions": []}) == ("normal", [])
    assert permissions({"permissions": ["api"], "type": "admin"}) == ("admin", [])
    assert ask("DELETE", "/users/bob") == (204, "")
    assert ask("DELETE", "/users/bob") == (204, "")
    assert json.loads(ask("GET", "/users")[1]) == {"users": []}


def test_who_is_let_in(gate: Any) -> None:
    def ask(headers: dict[str, str], query: str = "") -> tuple[int, str]:
        status, text = gate.call("GET", f"{V1}/ping{query}", headers=headers)
        return (status, text) if status < 400 else error((status, text))

    soon = int(time.time()) + 60
    assert ask({}) == (401, "unable to parse authentication credentials")
    assert ask(basic("", "x")) == (401, "username required")
    assert ask(basic("bob", "x")) == (401, "authorization failed")
    assert ask(basic("nouser", "x")) == (401, "authorization failed")
    assert ask(basic("~subscriber", "tok")) == (401, "invalid subscription token")
    assert ask(basic("~subscriber", "bad tok")) == (
        401,
        'token must be a valid username: "bad tok"',
    )
    assert ask(basic("bob", "canary-bob")) == (204, "")
    assert ask({}, "?u=bob&p=canary-bob") == (204, "")
    assert ask({}, "?u=bob&p=x") == (401, "authorization failed")
    assert ask(bearer({"exp": soon, "username": "bob"})) == (204, "")
    assert ask(bearer({"exp": soon, "username": "nouser"})) == (
        401,
        'retrieving user "nouser" from store: no user exists',
    )
    assert ask(bearer({"exp": 9, "username": "bob"})) == (
        401,
        "invalid token: Token is expired",
    )
    assert ask(basic("nobody", "n")) == (
        403,
        'user nobody does not have "read" privilege for API endpoint '
        '"/kapacitor/v1/ping"',
    )


def raw(port: int, head: bytes) -> bytes:
    """The first line of the answer to a request that no HTTP library would send."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head + b"Connection: close\r\nContent-Length: 0\r\n\r\n")
        with connection.makefile("rb") as lines:
            return lines.readline()


GARBAGE = (
    b"\xff\xfe",
    b"Bearer \xff.\xff.\xff",
    b"Basic \xff\xff",
    b"Basic " + base64.b64encode(b"bob:\xff\x00"),
    b"Basic " + base64.b64encode(b"\xff\xff:x"),
    b"Basic " + base64.b64encode(b"~subscriber:\xff"),
    b"Basic " + b"A" * 7000,
    b"Bearer " + b"e30." * 900,
)


def test_garbage_is_nobody(gate: Any) -> None:
    for authorization in GARBAGE:
        line = b"Authorization: " + authorization + b"\r\n"
        for start in (b"GET /kapacitor/v1/ping", b"POST /write?db=d"):
            head = start + b" HTTP/1.1\r\nHost: localhost\r\n" + line
            assert raw(gate.port, head).startswith(b"HTTP/1.1 401 ")
    for query in (b"u=bob&p=\xff", b"u=%ff&p=%00", b"u=~subscriber&p=\xff"):
        head = b"GET /kapacitor/v1/ping?" + query + b" HTTP/1.1\r\nHost: localhost\r\n"
        assert raw(gate.port, head)[9:12] in (b"400", b"401")
    assert "Traceback" not in gate.log


def test_strangers_do_not_send_bodies(gate: Any) -> None:
    head = b"POST /kapacitor/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999"
    with socket.create_connection(("127.0.0.1", gate.port), timeout=10) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 401"


def test_refusals_are_compact_and_options_ask_nobody(gate: Any) -> None:
    text = "unable to parse authentication credentials"
    assert gate.call("GET", f"{V1}/no/such") == (
        401,
        f'{{"error":"{text}","message":"{text}"}}',
    )
    assert gate.call("OPTIONS", f"{V1}/tasks")[0] == 200


def test_who_may_do_what(gate: Any) -> None:
    bob = basic("bob", "canary-bob")
    assert gate.call("GET", f"{V1}/tasks", headers=bob)[0] == 200
    for path in ("/kapacitor/v1/config/hipchat", "/kapacitor/v1preview/config/hipchat"):
        assert error(gate.call("GET", path, headers=bob)) == (
            403,
            'user bob does not have "read" privilege for API endpoint '
            '"/kapacitor/v1/config/hipchat"',
        )
    user = {"name": "eve", "password": "e", "type": "admin"}
    assert gate.call("POST", f"{V1}/users", user, headers=bob)[0] == 403
    assert gate.call("POST", f"{V1}/users", user, headers=ROOT)[0] == 200
    assert gate.call("GET", "/metrics")[0] == 401
    assert gate.call("GET", f"{V1}/debug/vars")[0] == 401


def test_only_admins_write_points(gate: Any) -> None:
    def write(headers: dict[str, str], query: str = "?db=d") -> tuple[int, str]:
        answer: tuple[int, str] = gate.call(
            "POST", f"/write{query}", "cpu v=1", headers=headers
        )
        return answer

    refused = 'user is not authorized to write to database "d"\n'
    assert write(ROOT) == (204, "")
    assert write({}, "?db=d&u=root&p=canary-root") == (204, "")
    assert write(basic("all", "a")) == (401, f'"all" {refused}')
    assert write(basic("writer", "w")) == (401, f'"writer" {refused}')
    assert error(write(basic("bob", "canary-bob")))[0] == 403
    assert error(write({}))[0] == 401
    assert error(write(basic("root", "x")))[0] == 401
    assert write(ROOT, "") == (400, "database is required\n")


def test_one_connection_writes_with_and_without_leave(gate: Any) -> None:
    def head(authorization: str) -> bytes:
        return (
            f"POST /write?db=d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 7\r\n"
            f"Authorization: {authorization}\r\n\r\ncpu v=1"
        ).encode()

    good, bad = ROOT["Authorization"], basic("root", "x")["Authorization"]
    with socket.create_connection(("127.0.0.1", gate.port), timeout=10) as connection:
        connection.sendall(head(good) + head(bad) + head(good) + head(good))
        statuses: list[bytes] = []
        with connection.makefile("rb") as lines:
            while len(statuses) < 4 and (line := lines.readline()):
                if b"HTTP/1.1 " in line:
                    statuses.append(line.rpartition(b"HTTP/1.1 ")[2][:3])
    assert statuses == [b"204", b"401", b"204", b"204"]


def test_a_changed_password_counts_at_once(shut: Any) -> None:
    old, new = basic("bob", "canary-bob"), basic("bob", "new")
    assert shut.call("GET", f"{V1}/tasks", headers=old)[0] == 200
    body = {"password": "new"}
    assert shut.call("PATCH", f"{V1}/users/bob", body, headers=ROOT)[0] == 200
    assert shut.call("GET", f"{V1}/tasks", headers=old)[0] == 401
    assert shut.call("GET", f"{V1}/tasks", headers=new)[0] == 200
    assert shut.call("DELETE", f"{V1}/users/bob", headers=ROOT)[0] == 204
    assert shut.call("GET", f"{V1}/tasks", headers=new)[0] == 401


def test_passwords_and_the_secret_are_neither_stored_nor_logged(shut: Any) -> None:
    shut.call("GET", f"{V1}/ping?u=bob&p=canary-bob")
    shut.call("POST", "/write?db=d&u=root&p=canary-root", "cpu v=1")
    shut.call("GET", f"{V1}/alerts/topics?u=bob&p=canary-bob")
    _, topics = shut.call("GET", f"{V1}/alerts/topics?u=bob&p=canary-bob")
    shut.call("GET", f"{V1}/ping", headers=basic("bob", "canary-wrong"))
    assert shut.stop() == 0
    assert "canary" not in topics
    assert "canary" not in shut.log
    for file in (shut.directory / "data").rglob("*"):
        assert not file.is_file() or b"canary" not in file.read_bytes()


def test_without_users_any_name_is_an_admin_and_the_log_says_so(
    start_kapacitord: Any, tmp_path: Any
) -> None:
    server = start_kapacitord("")
    server.stop()
    server.environment = {"KAPACITOR_HTTP_AUTH_ENABLED": "true"}
    server.start()
    assert server.call("GET", f"{V1}/tasks")[0] == 401
    assert server.call("GET", f"{V1}/tasks", headers=basic("any", "x"))[0] == 200
    assert server.call("GET", f"{V1}/users", headers=basic("any", "x"))[0] == 404
    assert "any credentials are accepted" in server.log


def test_the_command_line_takes_credentials_in_its_url(gate: Any) -> None:
    address = f"http://root:canary-root@127.0.0.1:{gate.port}"
    assert gate.cli("-url", address, "list", "tasks").startswith("ID")
    assert "unable to parse" in gate.cli("list", "tasks", code=3)
