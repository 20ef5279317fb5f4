"""Privileges of users, and parsing of credentials."""

import base64

import pytest

from runtime.secrets import Secret
from runtime.services.auth.passwords import hashed, matches
from runtime.services.httpd.credentials import (
    Credentials,
    credentials,
    without_password,
)
from runtime.services.httpd.users import User, is_name

RESOURCES = ("/ping", "/write", "/config", "/config/hipchat", "/tasks", "/metrics")


@pytest.mark.parametrize(
    ("permission", "granted"),
    [
        ("none", ()),
        ("api", ("/ping", "/tasks", "/metrics")),
        ("config_api", ("/ping", "/config", "/config/hipchat")),
        ("write_points", ("/ping", "/write")),
        ("all", RESOURCES),
    ],
)
def test_a_permission_grants_its_part(
    permission: str, granted: tuple[str, ...]
) -> None:
    user = User("bob", permissions=(permission,))
    allowed = tuple(each for each in RESOURCES if user.may("GET", each))
    assert allowed == granted


def test_permissions_add_up_and_admins_need_none() -> None:
    both = User("bob", permissions=("config_api", "write_points"))
    assert both.may("POST", "/write")
    assert both.may("DELETE", "/config/hipchat/")
    assert not both.may("GET", "/tasks")
    assert User("root", admin=True).may("DELETE", "/users/bob")


def test_a_similar_path_is_not_the_configuration() -> None:
    assert User("bob", permissions=("api",)).may("GET", "/configuration")
    assert not User("bob", permissions=("config_api",)).may("GET", "/configuration")


@pytest.mark.parametrize("permission", ["api", "all"])
def test_only_admins_change_users(permission: str) -> None:
    user = User("bob", permissions=(permission,))
    assert user.may("GET", "/users/bob")
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        assert not user.may(method, "/users/bob")
        assert not user.may(method, "/users")


def test_head_needs_no_permission() -> None:
    assert User("bob").may("HEAD", "/ping")


@pytest.mark.parametrize("name", ["bob", "b-o.b_@9", "Jürgen", "李"])
def test_names_of_any_script(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "a b", "bob\n", "٣", "a/b", "a:b"])
def test_what_is_no_name(name: str) -> None:
    assert not is_name(name)


def test_a_stored_user_reads_back_and_never_shows_its_hash() -> None:
    user = User("bob", permissions=("api",), hash=Secret("$2b$canary"))
    assert User.decode(user.encode()) == user
    assert "canary" not in repr(user)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("header", "query", "expected"),
    [
        ("", "", None),
        ("Bearer abc", "", Credentials("token", "", "abc")),
        ("Bearer a b", "", None),
        ("bearer abc", "", None),
        (basic("bob:p:w"), "", Credentials("password", "bob", "p:w")),
        (basic("bob:pw").replace("Basic", "bAsIc"), "", ("password", "bob", "pw")),
        (basic(":pw"), "", Credentials("password", "", "pw")),
        (basic("bob"), "", None),
        ("Basic ***", "", None),
        ("Digest x", "u=bob&p=pw", Credentials("password", "bob", "pw")),
        ("", "u=bob&p=p%26w", Credentials("password", "bob", "p&w")),
        ("", "u=bob&p=", None),
        ("", "p=pw", None),
        (basic("~subscriber:tok"), "", ("subscription", "~subscriber", "tok")),
        (basic("ann:a"), "u=bob&p=b", Credentials("password", "ann", "a")),
    ],
)
def test_credentials_are_looked_for_in_order(
    header: str, query: str, expected: tuple[str, str, str] | None
) -> None:
    assert credentials(header, query) == expected


def test_credentials_do_not_show_themselves() -> None:
    assert "pw" not in repr(credentials(basic("bob:pw"), ""))


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("/write?db=d", "/write?db=d"),
        ("/write?db=d&u=bob&p=pw", "/write?db=d&u=bob&p=***"),
        ("/write?p=pw&db=d", "/write?p=***&db=d"),
        ("/write?%70=pw", "/write?%70=***"),
        ("/write?u=bob;p=pw", "/write?u=bob;p=***"),
        ("/write?u=bob;%70=pw;db=d&rp=r", "/write?u=bob;%70=***&rp=r"),
        ("/write?p=half;half&db=d", "/write?p=***&db=d"),
        ("/write?u=bob%26p=pw", "/write?u=bob%26p=***"),
        ("/x?pattern=p*", "/x?pattern=p*"),
    ],
)
def test_uris_are_shown_without_password(uri: str, shown: str) -> None:
    assert without_password(uri) == shown


def test_a_hash_is_bcrypt_salted_and_matches_its_password_alone() -> None:
    first, second = hashed("secret", 4), hashed("secret", 4)
    assert first != second
    assert first.startswith("$2b$04$")
    assert matches("secret", first)
    assert not matches("secre", first)
    assert not matches("", first)


@pytest.mark.parametrize("password", ["x" * 73, "a\0b"])
def test_passwords_that_bcrypt_would_cut_are_refused(password: str) -> None:
    with pytest.raises(ValueError):
        hashed(password, 4)
    assert not matches(password, hashed("x" * 72, 4))
