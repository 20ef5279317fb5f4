"""Tokens of InfluxDB's subscriptions, which may write to one database.

Source: Kapacitor services/auth/service.go, GrantSubscriptionAccess.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass

import msgspec

from runtime.compute.thread import Compute
from runtime.services.httpd.users import User
from runtime.store.database import Store
from runtime.store.records import Records

_TOKEN_BYTES = 64
_DELIMITER = b";"


class _Stored(msgspec.Struct):
    id: str
    cluster: str
    database: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A stored token. Only its digest is stored, which does not authorize writes.

    Attributes:
        id: digest of the token.
        cluster: cluster that writes with it.
        database: database that it may write to.
    """

    id: str
    cluster: str
    database: str

    @property
    def user(self) -> User:
        """The user of requests with the token."""
        return User(self.id, permissions=("write_points",), databases=(self.database,))

    def encode(self) -> bytes:
        """Encode for the store."""
        tree = {"id": self.id, "cluster": self.cluster, "database": self.database}
        return json.dumps(tree).encode()

    @classmethod
    def decode(cls, stored: bytes) -> Grant:
        """Decode the output of `encode`."""
        tree = msgspec.json.decode(stored, type=_Stored)
        return cls(tree.id, tree.cluster, tree.database)


class SubscriptionTokens:
    """The valid tokens. They are changed on the compute thread, and read on any."""

    def __init__(self, store: Store, compute: Compute) -> None:
        self._records = Records(store, "subscriptions", Grant.decode)
        self._compute = compute
        self._records.load()

    def user(self, token: str) -> User | None:
        """The user of a token; None if it is not valid."""
        grant = self._records.get(digest(token))
        return None if grant is None else grant.user

    def knows(self, token: str, cluster: str, database: str) -> bool:
        """True if a cluster may write to a database with a token."""
        id = digest(token)
        return self._records.get(id) == Grant(id, cluster, database)

    def is_valid(self, user: User) -> bool:
        """True if the token of a subscription's user is still valid."""
        return self._records.get(user.name) is not None

    async def made(self, cluster: str, database: str) -> str:
        """Create a token with which a cluster may write to a database."""
        token = _encoded(cluster, secrets.token_bytes(_TOKEN_BYTES))
        grant = Grant(digest(token), cluster, database)
        await self._compute.run(self._records.put, grant)
        return token

    async def keep(self, cluster: str, tokens: Collection[str]) -> None:
        """Revoke all tokens of a cluster except those given."""
        kept = set(map(digest, tokens))
        await self._compute.run(
            self._revoke, lambda each: each.cluster == cluster and each.id not in kept
        )

    async def keep_clusters(self, clusters: Collection[str]) -> None:
        """Revoke the tokens of all clusters except those given."""
        await self._compute.run(self._revoke, lambda each: each.cluster not in clusters)

    def _revoke(self, is_revoked: Callable[[Grant], bool]) -> None:
        for each in self._records.all():
            if is_revoked(each):
                self._records.delete(each.id)


def digest(token: str) -> str:
    """The name under which a token is stored."""
    # without salt: a token has 64 random bytes, which cannot be guessed
    return f"_sub:{hashlib.sha256(token.encode(errors='replace')).hexdigest()}"


def _encoded(cluster: str, random: bytes) -> str:
    raw = cluster.encode() + _DELIMITER + random
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
