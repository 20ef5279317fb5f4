"""Users and their permissions.

Source: Kapacitor auth/auth.go, services/httpd/auth.go.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass

import msgspec

from runtime.secrets import NO_SECRET, Secret

PERMISSIONS = ("none", "api", "config_api", "write_points", "all")
_PRIVILEGES = {
    "GET": "read",
    "POST": "write",
    "PATCH": "write",
    "PUT": "write",
    "DELETE": "delete",
}


class _Stored(msgspec.Struct):
    name: str
    admin: bool
    permissions: tuple[str, ...]
    hash: str


@dataclass(frozen=True, slots=True)
class User:
    """A user with a password.

    Attributes:
        name: letters, digits and `-._@`.
        admin: True if the user may do everything.
        permissions: permissions of a user who is not an admin, from `PERMISSIONS`.
        hash: hash of the password.
        databases: databases that a subscription may write to; it is not stored.
    """

    name: str
    admin: bool = False
    permissions: tuple[str, ...] = ()
    hash: Secret = NO_SECRET
    databases: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The key under which the user is stored."""
        return self.name

    def encode(self) -> bytes:
        """Encode for the store."""
        tree = {
            "name": self.name,
            "admin": self.admin,
            "permissions": self.permissions,
            "hash": self.hash.reveal(),
        }
        return json.dumps(tree).encode()

    @classmethod
    def decode(cls, stored: bytes) -> User:
        """Decode the output of `encode`."""
        tree = msgspec.json.decode(stored, type=_Stored)
        return cls(tree.name, tree.admin, tree.permissions, Secret(tree.hash))

    def may(self, method: str, resource: str) -> bool:
        """True if a request is allowed.

        Args:
            method: HTTP method.
            resource: path below the API's base: `/tasks/cpu`.
        """
        if self.admin or method not in _PRIVILEGES:
            return True
        # users who may change users could make themselves admins
        if _is_below(resource, "/users") and method != "GET":
            return False
        return any(_grants(each, resource) for each in self.permissions)

    def may_write(self, database: str) -> bool:
        """True if the user may write points to a database."""
        return self.admin or database in self.databases


def privilege(method: str) -> str:
    """The privilege a method needs: `read`, `write`, `delete`, or "" for none."""
    return _PRIVILEGES.get(method, "")


def is_name(text: str) -> bool:
    """True for a valid user name: letters of any script, ASCII digits, `-._@`."""
    return bool(text) and all(
        char in "-._@0123456789" or unicodedata.category(char)[0] == "L"
        for char in text
    )


def _grants(permission: str, resource: str) -> bool:
    match permission:
        case "all":
            return True
        case "api":
            return resource != "/write" and not _is_below(resource, "/config")
        case "config_api":
            return resource == "/ping" or _is_below(resource, "/config")
        case "write_points":
            return resource in ("/ping", "/write")
        case _:
            return False


def _is_below(resource: str, root: str) -> bool:
    return resource == root or resource.startswith(f"{root}/")
