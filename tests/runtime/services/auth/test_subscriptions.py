"""Tokens of subscriptions: their privileges and their expiry."""

from __future__ import annotations

import asyncio
import base64

import pytest

from runtime.compute.thread import Compute
from runtime.errors import CredentialsError
from runtime.secrets import Secret
from runtime.services.auth.service import AuthService
from runtime.services.auth.subscriptions import SubscriptionTokens
from runtime.services.httpd.credentials import SUBSCRIBER, Credentials
from runtime.services.httpd.messages import Request
from runtime.services.httpd.users import User
from runtime.store.database import Store
from runtime.store.records import Records


class Gate:
    """A gate with users and tokens, on a compute thread that runs while it works."""

    def __init__(self, store: Store, *, with_users: bool = True) -> None:
        self.compute = Compute(store.transaction)
        self.tokens = SubscriptionTokens(store, self.compute)
        users = Records(store, "users", User.decode) if with_users else None
        self.service = AuthService(
            users, cost=4, shared_secret=Secret(""), tokens=self.tokens
        )

    async def status(self, token: str, database: str, path: str = "/write") -> int:
        pair = base64.b64encode(f"{SUBSCRIBER}:{token}".encode()).decode()
        query = f"db={database}"
        request = Request("POST", path, f"{path}?{query}", query)
        request.authorization = f"Basic {pair}"
        quick = self.service.knows_writer(request.authorization, query)
        refused = await self.service.check(request)
        if path == "/write":
            assert refused is None or not quick
        return 204 if refused is None else refused.status


def test_a_token_writes_to_its_database_until_it_is_revoked(store: Store) -> None:
    async def run() -> None:
        gate = Gate(store)
        gate.compute.start()
        token = await gate.tokens.made("main", "telegraf")
        other = await gate.tokens.made("second", "telegraf")
        # the second time it is known
        for _ in range(2):
            assert await gate.status(token, "telegraf") == 204
        assert await gate.status(token, "secret") == 401
        assert await gate.status(token, "telegraf", "/kapacitor/v1/tasks") == 403
        assert await gate.status("invented", "telegraf") == 401
        assert gate.tokens.knows(token, "main", "telegraf")
        assert not gate.tokens.knows(token, "second", "telegraf")

        # after a restart it is still valid
        assert await Gate(store).status(token, "telegraf") == 204
        await gate.tokens.keep("main", [])
        assert await gate.status(token, "telegraf") == 401
        assert await gate.status(other, "telegraf") == 204
        await gate.tokens.keep_clusters(["main"])
        assert await gate.status(other, "telegraf") == 401
        await gate.compute.close()

    asyncio.run(run())


def test_without_users_every_token_is_accepted(store: Store) -> None:
    gate = Gate(store, with_users=False)
    assert asyncio.run(gate.status("any", "telegraf")) == 204


def test_strange_tokens_are_refused_in_kapacitors_words(store: Store) -> None:
    given = Credentials("subscription", SUBSCRIBER, "a token")
    with pytest.raises(
        CredentialsError, match='token must be a valid username: "a token"'
    ):
        asyncio.run(Gate(store).service.authenticated(given))
