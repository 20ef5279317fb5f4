"""The API of users.

Source: Kapacitor services/auth.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

from runtime.compute.thread import Compute
from runtime.errors import FailedError, InvalidError, NotFoundError
from runtime.golang.json_decode import (
    JsonError,
    decode,
    one_of,
    sequence,
    string,
    struct,
)
from runtime.golang.quoting import quote
from runtime.secrets import Secret
from runtime.services.auth.passwords import hashed
from runtime.services.httpd.listing import Listing
from runtime.services.httpd.messages import (
    BASE,
    NO_CONTENT,
    Answer,
    Request,
    pretty,
    self_link,
)
from runtime.services.httpd.router import Router
from runtime.services.httpd.users import PERMISSIONS, User, is_name
from runtime.store.records import Records, id_fault

_FIELDS = ("link", "name", "type", "permissions")
_TYPES = ("normal", "admin")


_BODY = struct(
    "client.CreateUserOptions",
    {
        "name": string,
        "password": string,
        "type": one_of(_TYPES, "UserType"),
        "permissions": sequence(
            one_of(PERMISSIONS, "Permission"), "[]client.Permission"
        ),
    },
)


class UsersAPI:
    """Answers below `/users`."""

    def __init__(self, users: Records[User], compute: Compute, *, cost: int) -> None:
        """Create the API.

        Args:
            users: loaded users, changed only on the compute thread.
            compute: compute thread.
            cost: bcrypt cost of new passwords.
        """
        self._users = users
        self._compute = compute
        self._cost = cost

    def add_routes(self, router: Router) -> None:
        """Add the routes."""
        router.add("GET", "/users", self._list)
        router.add("POST", "/users", self._create)
        router.add("GET", "/users/", self._get)
        router.add("PATCH", "/users/", self._update)
        router.add("DELETE", "/users/", self._delete)

    async def _list(self, request: Request) -> Answer:
        listing = Listing.of(request, _FIELDS)
        picked = set(listing.pick([user.name for user in self._users.all()]))
        trees = [_tree(user) for user in self._users.all() if user.name in picked]
        shown = [
            {key: tree[key] for key in sorted(tree) if key in listing.fields | {"name"}}
            for tree in trees
        ]
        return pretty({"users": shown})

    async def _get(self, request: Request) -> Answer:
        user = self._users.get(_name(request))
        if user is None:
            raise NotFoundError("no user exists")
        return pretty(_tree(user))

    async def _create(self, request: Request) -> Answer:
        body = _body(request)
        name = body.get("name", "")
        if not name:
            raise InvalidError("username is required")
        if fault := id_fault(name):
            raise InvalidError(f"username {fault}")
        if not is_name(name):
            raise InvalidError(
                "username must contain only letters, numbers, '-', '.', '@' and '_'. "
                f"{quote(name)}"
            )
        if not body.get("password"):
            raise InvalidError("password is required")
        user = await self._changed(User(name), body)

        def put() -> None:
            # Kapacitor changes nothing, but answers with an empty user as for a success
            if self._users.get(name) is not None:
                raise InvalidError("user already exists")
            self._users.put(user)

        await self._compute.run(put)
        return pretty(_tree(user))

    async def _update(self, request: Request) -> Answer:
        name, body = _name(request), _body(request)
        text = "failed to create user: updating user: no user exists"
        before = self._users.get(name)
        if before is None:
            raise FailedError(text)
        changed = await self._changed(before, body)

        def put() -> User:
            present = self._users.get(name)
            if present is None:
                raise FailedError(text)
            # the user may have been changed while the password was hashed
            keep = {each: getattr(present, each) for each in _kept(before, changed)}
            self._users.put(user := dataclasses.replace(changed, **keep))
            return user

        return pretty(_tree(await self._compute.run(put)))

    async def _delete(self, request: Request) -> Answer:
        await self._compute.run(self._users.delete, _name(request))
        return NO_CONTENT

    async def _changed(self, user: User, body: dict[str, Any]) -> User:
        """`user` with the changes of a request."""
        if "type" in body:
            user = dataclasses.replace(user, admin=body["type"] == "admin")
        if "permissions" in body:
            given = tuple(each for each in body["permissions"] if each)
            user = dataclasses.replace(user, permissions=given)
        if user.admin:
            user = dataclasses.replace(user, permissions=())
        if password := body.get("password"):
            try:
                hash = await asyncio.to_thread(hashed, password, self._cost)
            except ValueError as error:
                raise InvalidError(str(error)) from None
            user = dataclasses.replace(user, hash=Secret(hash))
        return user


def _kept(before: User, changed: User) -> list[str]:
    """The fields that a change does not affect."""
    names = [field.name for field in dataclasses.fields(User)]
    return [name for name in names if getattr(before, name) == getattr(changed, name)]


def _name(request: Request) -> str:
    if not request.rest:
        raise InvalidError("must specify username on path")
    return request.rest


def _body(request: Request) -> dict[str, Any]:
    try:
        return dict(decode(request.body, _BODY, {}) or {})
    except JsonError:
        raise InvalidError("invalid JSON") from None


def _tree(user: User) -> dict[str, Any]:
    return {
        "link": self_link(f"{BASE}/users/{user.name}"),
        "name": user.name,
        "type": "admin" if user.admin else "normal",
        "permissions": list(user.permissions),
    }
